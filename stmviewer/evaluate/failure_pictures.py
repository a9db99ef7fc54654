"""A strip of the worst repairs of simulated scans, for the cards of models."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stmviewer.evaluate.repair_classes import Failure
from stmviewer.scan import FileError, FloatArray
from stmviewer.scan.levelling import level_for_display, robust_range

#: pixels of one panel, of the gaps and of the line of text above
_PANEL, _GAP, _TEXT = 144, 6, 16
_TITLES = ("clean:", "scanned:", "repaired:")
_INK, _PAPER = 0, 255


def strip(failures: Sequence[Failure], most: int = 4) -> np.ndarray:
    """Grey 8-bit picture: a column for each of the `most` worst classes, clean, scanned and repaired below each other.

    Each panel has the range of its own heights: a tip with several ends shows steps several times as high.
    """
    from PIL import Image, ImageDraw

    chosen = list(failures[:most])
    width = len(chosen) * (_PANEL + _GAP) + _GAP
    height = 3 * (_PANEL + _TEXT) + _TEXT + _GAP
    picture = Image.new("L", (width, height), _PAPER)
    draw = ImageDraw.Draw(picture)
    for column, failure in enumerate(chosen):
        left = _GAP + column * (_PANEL + _GAP)
        draw.text((left, 2), f"{failure.kind}: {failure.ssim:.2f}", fill=_INK)
        for row, image in enumerate((failure.clean, failure.measured, failure.repaired)):
            top = _TEXT + row * (_PANEL + _TEXT)
            draw.text((left, top + 2), _TITLES[row], fill=_INK)
            picture.paste(Image.fromarray(_grey(image)), (left, top + _TEXT))
    return np.asarray(picture)


def write_strip(failures: Sequence[Failure], path: Path, most: int = 4) -> None:
    """The strip as a PNG; raises FileError when it cannot be written."""
    from PIL import Image

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(strip(failures, most)).save(path, format="PNG", optimize=True)
    except OSError as error:
        raise FileError(path, f"cannot be written ({error.strerror or error})", "Choose another place") from error


def _grey(image: FloatArray) -> np.ndarray:
    """The image on a panel, black to white over its robust range."""
    from PIL import Image

    level = level_for_display(image)
    low, high = robust_range(level)
    grey = np.uint8(255 * np.clip((level - low) / (high - low), 0, 1))
    return np.asarray(Image.fromarray(grey).resize((_PANEL, _PANEL), Image.Resampling.BICUBIC))
