"""The SCIM package, without a database."""
