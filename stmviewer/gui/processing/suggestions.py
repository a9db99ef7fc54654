"""What a step that is added begins with, where no one value fits every image. No Qt."""

import numpy as np

from stmviewer.gui.shown import Shown
from stmviewer.scan.processing.catalogue import KINDS
from stmviewer.scan.processing.kinds import Value


def suggested(name: str, shown: Shown) -> dict[str, Value]:
    """Limits of values from the image itself, periods from its pixels: four of them, and a quarter of its width."""
    frame, (rows, columns) = shown.picture.frame, shown.picture.data.shape
    pixel = max(frame.width / columns, frame.height / rows)
    found: dict[str, Value] = {}
    for parameter in KINDS[name].parameters:
        match parameter.name:
            case "shortest":
                found["shortest"] = _rounded(4 * pixel)
            case "longest":
                found["longest"] = _rounded(min(frame.width, frame.height) / 4)
            case "low" | "high" if parameter.unit == "value":
                values = shown.picture.sample()
                if values.size:
                    part = 0.0 if parameter.name == "low" else 99.0
                    found[parameter.name] = float(f"{np.percentile(values, part):.4g}")
    if name == "mask-threshold" and "low" in found and not float(found["low"]) < float(found["high"]):
        return {}
    return found


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")
