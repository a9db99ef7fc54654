"""Flags for images without size and unit, the same for every command that opens a scan."""

import argparse

from stmviewer.files.calibration import Calibration


def add_calibration(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("images without size or unit (.npy, .npz, .tif, .png, text)")
    group.add_argument("--pixel-nm", type=_pair, metavar="NM", help="pixel size: 0.1, or across and down 0.1x0.2")
    group.add_argument("--size-nm", type=_pair, metavar="WxH", help="whole size, such as 50x50")
    group.add_argument("--unit", default="", help="unit of the values, such as nm or pA")
    group.add_argument("--value-scale", type=float, default=1.0, metavar="F", help="a value of 1 is F of --unit")


def calibration_of(arguments: argparse.Namespace) -> Calibration | None:
    """What the flags say, None where they say nothing. Raises RequestError for what no image can have."""
    said = Calibration(arguments.pixel_nm, arguments.size_nm, arguments.unit, arguments.value_scale)
    return said or None


def add_part(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--part", type=int, default=1, metavar="N", help="scan N of a file that holds several (info lists them)"
    )


def _pair(text: str) -> tuple[float, float]:
    """`0.1` as (0.1, 0.1), `50x25` as (50, 25): across, down."""
    across, x, down = text.lower().partition("x")
    try:
        return float(across), float(down if x else across)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a length, or two as in 50x25") from None
