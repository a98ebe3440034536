"""The tests. They mirror the tree: `tests/scim/test_patch.py` tests `scim/patch.py`."""
