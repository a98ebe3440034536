"""What HR systems and CRMs send, turned into what comes through the write door. Pure: no I/O but reading a file.

    JSON push ──────────────▶ schema ──▶ hr ──▶ RecordWrite ──▶ provisioning
    CSV file ──▶ csv_file ──▶   │         │
                                │         └ what the record says in the account's terms (value, EMPTY, silence)
                                └ strict types; what no field knows is reported as drift

A record is the whole present state of one person in that source. A missing key is silence, null is an empty value; of
what is `restricted` the record goes on saying what it said before. A person who is not among the records is not spoken
of: nobody leaves by being absent.
"""
