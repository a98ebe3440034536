"""Is that server a SCIM server that identity providers can live with? Knows nothing of our own server.

URL, token ─▶ target (HTTP)       what is asked travels through it
              suites              which suites there are, what each makes on the server, whether it is installed
                field             ours: what breaks in practice; `declarations` says how a check is written,
                                  `users`, `groups` and `lists` are the checks, `places` reads an answer
                tester            scim2-tester, another project's     sanity   scim-sanity, another project's
                remedies          what to do about what these two find
              report              findings, for people and as JSON
"""
