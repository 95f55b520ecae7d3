"""Operators on whole arrays: elementwise ones and penalties."""
