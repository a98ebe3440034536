"""Rollcall, the identity hub of learning platforms.

cli, demo                  the `rollcall` command, and the story that it plays
factory                    puts the web application together
api                        the REST API
adapters | sync | events   SCIM's and OAuth's way to our store; runs that plan, apply and resume; what the world is told
grouping                   the write door for groups
provisioning | sources     the write door for people; what HR systems send; `explaining` reads why an account is so
store                      PostgreSQL
identity | settings        the pure core; the environment; `logs`, `outbound` (requests to others), `checking` (others'
                           SCIM servers)

Imports run down these floors.
"""
