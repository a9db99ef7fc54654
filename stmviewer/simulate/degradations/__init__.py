"""What goes wrong while scanning: one small class each, in the order tip, scanner, feedback, electronics."""
