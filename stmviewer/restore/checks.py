"""What a restoration was checked for on the very scan that it is of."""

from dataclasses import dataclass

#: of a repair that was to take out what a second end of the tip shows
NO_SECOND_END = "Tip: no second end was found in this scan, and nothing was taken out"


@dataclass(frozen=True)
class Check:
    """One finding in plain words.

    `about` is lattice, range, directions, heights, rows, cells, gap, lines, memory or nothing; `warns` whether the user
    should know before believing the image (it is then among the warnings, too).
    """

    about: str
    text: str
    warns: bool = False
