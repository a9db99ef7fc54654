"""Damaged files by the thousand: whatever the bytes, the answer is a scan or one FileError. `make fuzz` runs it."""
