"""A laboratory's good scans as the surface of simulated ones."""

from pathlib import Path

from stmviewer.scan import Progress, RequestError
from stmviewer.simulate import RealImages, surface_names


def read_surface_images(place: str, least: int, progress: Progress) -> RealImages:
    """The good scans at `place`, a file or a folder, as surfaces: those of `least` pixels a side or more.

    Heights are in metres as far as the scans know them, else nominal, and so are pixel sizes. Raises RequestError for
    a place that is neither a file nor a folder, FileError where nothing can be used.
    """
    from stmviewer.train.folder import read_folder

    path = Path(place)
    if not path.exists():
        names = ", ".join(surface_names())
        raise RequestError(f"surface '{place}' is unknown, nor is it a file; there are {names}")
    if path.is_dir():
        found = read_folder(path, least, None, progress.part(0.3))
    else:
        found = read_folder(path.parent, least, [path.name], progress.part(0.3))
    known = [scale == scale for scale in found.scales]
    images = [
        (image - lines[:, None]) / (scale if metres else 1.0)
        for image, lines, scale, metres in zip(found.images, found.lines, found.scales, known, strict=True)
    ]
    files = tuple(p.name for p in found.paths)
    return RealImages(tuple(images), found.pixels_m, files, calibrated=found.calibrated and all(known))
