"""What the window and the command line both call: opening, restoring, exporting, training; typed events; jobs."""
