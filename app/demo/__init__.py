"""The demo: one company's identity provider and HR system, played against a real server.

    story ─▶ server   a server process on a free port, for as long as the story takes
          ─▶ okta     what Okta sends, over HTTP      ◀─ people (20 of them, 4 groups)
          ─▶ hr.csv   what HR knows, through an import
          ─▶ view     the accounts, before and after
    handover          fresh secrets, and the commands to try next
    doors ─▶ site     what one signs in with: kestrel_id, an identity provider, and academy, a learning platform

It knows no command line: whoever plays it hands in how to say a line.
"""
