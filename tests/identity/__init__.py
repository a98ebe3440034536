"""The rules of meaning, each with a test that names it, shown on values alone."""
