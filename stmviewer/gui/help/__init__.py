"""What helps a user along: the command finder, the sheet of shortcuts, the log."""
