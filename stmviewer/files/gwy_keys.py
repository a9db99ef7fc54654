"""Keys of the metadata that stmviewer writes beside each channel of a .gwy file.

Where Gwyddion's own import of Nanonis files has a key for the same thing, that key is used, so that both read alike.
"""

from typing import Final

BIAS: Final = "Bias"
SETPOINT: Final = "Z controller Setpoint"
SCAN_DIRECTION: Final = "Direction"
COMMENT: Final = "Comment"
RECORDED: Final = "Recorded"
ANGLE: Final = "Angle"
LINE_TIMES: Final = ("Line time forward", "Line time backward")

OWN: Final = "stmviewer::"
VERSION: Final = OWN + "version"
NAME: Final = OWN + "channel"
DIRECTION: Final = OWN + "direction"
ROLE: Final = OWN + "role"
PROVENANCE: Final = OWN + "provenance"
#: name of the scan in a file of several: keeps those of one frame apart
PART: Final = OWN + "part"
#: what the mask of the block marks; only UNMEASURED makes it unmeasured pixels again
MASK: Final = OWN + "mask"
UNMEASURED: Final = "unmeasured"

#: before each field of the raw file's header
HEADER: Final = "Header::"
