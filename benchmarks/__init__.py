"""How fast the hot roads are beside what the same server does at best, in the same run. `make bench`

scim      the command: seeds, serves, measures, prints a table
seeding   tenants with people and groups, through the write door
roads     what is asked on each road              load     asks it, in a process of its own
serving   the server's process                    wsgi     the application with the floor beside it
"""
