"""Journeys: the real `rollcall serve`, spoken to over HTTP as its clients do, and what is in the database afterwards.

server      starts, stops and kills the server       agreement   what must be true whatever happened
clients     what identity providers and HR send      test_…      the journeys
"""
