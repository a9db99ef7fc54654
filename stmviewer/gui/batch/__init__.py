"""Restoring many files: the queue, its table and its buttons."""
