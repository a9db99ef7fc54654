"""Tips with several ends: where the further ends are, and the image without what they show a second time."""

from stmviewer.restore.tips.current import TipEnd, scanned, without
from stmviewer.restore.tips.estimate import Tip, find_tip
from stmviewer.restore.tips.removal import Misfit, misfit, removed

__all__ = ["Misfit", "Tip", "TipEnd", "find_tip", "misfit", "removed", "scanned", "without"]
