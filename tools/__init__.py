"""What is run by hand while Rollcall is made; nothing here is installed with it."""
