"""How fast the hot roads are beside what the same server does at best, and beside a peer, in the same run. `make bench`

scim      the command: seeds, serves, measures     tables    prints it
seeding   tenants with people and groups, through the write door
multiplying   the rest of a large one, in SQL, as the write door would have written it
roads     what is asked on each road               load      asks it, in a process of its own
paging    what a page costs the further on it is
serving   the servers' processes                   wsgi      our application with the floor beside it
watching  processor and memory of these            peer      scim2-server with the same people
"""
