"""An image as a relief that can be turned: heights drawn in numpy, without a graphics card."""

from stmviewer.gui.relief.dialog import ReliefDialog

__all__ = ["ReliefDialog"]
