"""The window in which scans are simulated, with a live preview."""
