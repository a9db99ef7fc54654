"""What readers tell the user about a file, in the same words for every format."""

from stmviewer.scan import Geometry

SIZE_UNKNOWN = "the size is unknown; lengths are in pixels"
BRIGHTNESS = "a colour picture: its brightness is shown, which need not follow the height"


def on_pixels(geometry: Geometry) -> list[str]:
    """A note where pixels are not square. No fault: the scan is sparse in lines, or was cropped, or is just so."""
    if not geometry.calibrated or geometry.square_pixels:
        return []
    wide, high = geometry.pixel_width * 1e9, geometry.pixel_height * 1e9
    return [f"pixels are not square: {wide:.4g} nm wide, {high:.4g} nm high"]
