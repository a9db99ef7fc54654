"""What the window works on: the files, the channel on show, and what is done with it. The widgets only show it."""

from stmviewer.gui.session.session import Session

__all__ = ["Session"]
