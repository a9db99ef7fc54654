"""Draws the icon from its SVG at every size that a desktop asks for: `python installer/icons.py FOLDER`.

Small ones come from a drawing of their own (stmviewer-small.svg): at 16 pixels four atoms are a smear.
Makes stmviewer-N.png, stmviewer.ico (Windows) and stmviewer.icns (macOS).
"""

import io
import sys
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

ICONS = Path(__file__).resolve().parents[1] / "resources" / "icons"
SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
#: up to here the small drawing is used
SMALL = 24
ICO_SIZES = (16, 24, 32, 48, 64, 128, 256)


def drawn(size: int) -> Image.Image:
    """The icon, size x size pixels."""
    source = ICONS / ("stmviewer-small.svg" if size <= SMALL else "stmviewer.svg")
    renderer = QSvgRenderer(str(source))
    if not renderer.isValid():
        raise ValueError(f"{source} is not an SVG that Qt can draw")
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return Image.open(io.BytesIO(bytes(buffer.data().data()))).convert("RGBA")


def make(folder: Path) -> list[Path]:
    """Writes all of them into `folder`; returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    images = {size: drawn(size) for size in SIZES}
    written = []
    for size, image in images.items():
        written.append(folder / f"stmviewer-{size}.png")
        image.save(written[-1])
    written.append(folder / "stmviewer.ico")
    icons = [images[size] for size in ICO_SIZES]
    icons[-1].save(written[-1], sizes=[(size, size) for size in ICO_SIZES], append_images=icons[:-1])
    written.append(folder / "stmviewer.icns")
    images[512].save(written[-1], append_images=[images[size] for size in (32, 64, 128, 256)])
    return written


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: icons.py FOLDER")
    for path in make(Path(sys.argv[1])):
        print(path)
