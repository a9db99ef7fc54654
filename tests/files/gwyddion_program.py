"""Gwyddion itself as the oracle: its converter needs no display."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import gwyfile
import numpy as np
import pytest

needs_gwyddion = pytest.mark.skipif(shutil.which("gwyddion") is None, reason="Gwyddion is not installed")


def convert(path: Path, folder: Path) -> Path:
    """The .gwy file that Gwyddion makes of a file; CalledProcessError where it refuses."""
    out = folder / "by-gwyddion.gwy"
    out.unlink(missing_ok=True)
    subprocess.run(["gwyddion", f"--convert-to-gwy={out}", str(path)], check=True, capture_output=True, timeout=60)
    return out


def converted(path: Path, folder: Path) -> list[dict[str, Any]]:
    """The blocks that Gwyddion makes of a file, in their order: title, data, unmeasured, size, offset, units."""
    return blocks(convert(path, folder))


def tree(path: Path) -> Any:
    """The components of a .gwy file by key, read by the package gwyfile and not by our own reader."""
    with path.open("rb") as file:
        return gwyfile.objects.GwyObject.fromfile(file)


def curves(path: Path, folder: Path) -> list[dict[str, Any]]:
    """The spectra that Gwyddion makes of a file, in their order: title, data, unit, ends of the sweep."""
    items = tree(convert(path, folder))
    found = []
    for number in sorted(int(key.split("/")[2]) for key in items if key.startswith("/sps/") and key.count("/") == 2):
        spectra = items[f"/sps/{number}"]
        (line,) = spectra["data"]
        start = line.get("off", 0.0)
        found.append(
            {
                "title": spectra["title"],
                "data": line["data"],
                "unit": getattr(line.get("si_unit_y"), "unitstr", ""),
                "sweep": [start, start + line["real"]],
            }
        )
    return found


def blocks(path: Path) -> list[dict[str, Any]]:
    """The same for a .gwy file, read by the package gwyfile and not by our own reader."""
    items = tree(path)
    numbers = sorted(int(key.split("/")[1]) for key in items if key.endswith("/data") and key.count("/") == 2)
    found = []
    for number in numbers:
        field = items[f"/{number}/data"]
        mask = items.get(f"/{number}/mask")
        found.append(
            {
                "title": items.get(f"/{number}/data/title", ""),
                "data": field.data,
                "masked": np.zeros(field.data.shape, bool) if mask is None else mask.data > 0.5,
                "size": (field.xreal, field.yreal),
                "offset": (field.xoff, field.yoff),
                "unit": getattr(field.si_unit_z, "unitstr", ""),
                "unit_xy": getattr(field.si_unit_xy, "unitstr", ""),
                "meta": items.get(f"/{number}/meta", {}),
            }
        )
    return found
