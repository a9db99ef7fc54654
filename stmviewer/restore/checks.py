"""What a restoration was checked for on the very scan that it is of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One finding in plain words.

    `about` is lattice, range, directions, heights, rows, cells, gap, memory or nothing; `warns` whether the user should
    know before believing the image (it is then among the warnings, too).
    """

    about: str
    text: str
    warns: bool = False
