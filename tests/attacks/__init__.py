"""Hostile messages, by name: played against the code here and against the running service by the journeys."""
