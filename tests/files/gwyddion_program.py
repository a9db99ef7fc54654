"""Gwyddion itself as the oracle: its converter needs no display."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import gwyfile
import numpy as np
import pytest

needs_gwyddion = pytest.mark.skipif(shutil.which("gwyddion") is None, reason="Gwyddion is not installed")


def converted(path: Path, folder: Path) -> list[dict[str, Any]]:
    """The blocks that Gwyddion makes of a file, in their order: title, data, unmeasured, size, offset, units."""
    out = folder / "by-gwyddion.gwy"
    out.unlink(missing_ok=True)
    subprocess.run(["gwyddion", f"--convert-to-gwy={out}", str(path)], check=True, capture_output=True, timeout=60)
    return blocks(out)


def blocks(path: Path) -> list[dict[str, Any]]:
    """The same for a .gwy file, read by the package gwyfile and not by our own reader."""
    with path.open("rb") as file:
        tree = gwyfile.objects.GwyObject.fromfile(file)
    numbers = sorted(int(key.split("/")[1]) for key in tree if key.endswith("/data") and key.count("/") == 2)
    found = []
    for number in numbers:
        field = tree[f"/{number}/data"]
        mask = tree.get(f"/{number}/mask")
        found.append(
            {
                "title": tree.get(f"/{number}/data/title", ""),
                "data": field.data,
                "masked": np.zeros(field.data.shape, bool) if mask is None else mask.data > 0.5,
                "size": (field.xreal, field.yreal),
                "offset": (field.xoff, field.yoff),
                "unit": getattr(field.si_unit_z, "unitstr", ""),
                "unit_xy": getattr(field.si_unit_xy, "unitstr", ""),
                "meta": tree.get(f"/{number}/meta", {}),
            }
        )
    return found
