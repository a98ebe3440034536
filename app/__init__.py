"""Rollcall, the identity hub of learning platforms.

cli / factory / api      the doors
adapters | sync          SCIM's and sign-in's way to our store; runs that plan, apply and resume
provisioning | sources   the write door; what HR systems send
store                    PostgreSQL
identity | settings      the pure core; the environment
"""
