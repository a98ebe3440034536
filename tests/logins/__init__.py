"""The write door for logins on the real database: one test a promise."""
