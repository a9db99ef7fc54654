"""Whether stmviewer itself wrote a file: only such a one may be replaced by a new export."""

import zipfile
from pathlib import Path

from stmviewer.files import gwy_keys as keys
from stmviewer.files.sniffing import Kind, foreign_scan, sniff
from stmviewer.files.source import Source
from stmviewer.scan import FileError

#: the text of a PNG file that names the program
SOFTWARE_KEY = "Software"
#: what only microscopes write
_MICROSCOPES = ("sxm", "3ds", "dat", "sm4", "createc", "mtrx")


def whose_measurement(path: Path) -> str:
    """What the file at `path` holds, in words, where that is a measurement or an image that is not ours; else "".

    Files that hold neither scans nor images are nobody's measurement.
    """
    try:
        source = Source.of(path)
        if name := foreign_scan(source):
            return name
        kind = sniff(source)
    except FileError:
        return ""
    if kind in _MICROSCOPES:
        return "a raw file of a microscope, by another name"
    try:
        ours = _is_ours(kind, source)
    except FileError:
        return "a damaged image"  # we write whole files only; what can be saved of it is for its owner to say
    return "" if ours else "an image that stmviewer did not write"


def _is_ours(kind: Kind, source: Source) -> bool:
    match kind:
        case "gwy":
            from stmviewer.files.gwy_format import GwyObject, read_tree

            metas = [item for item in read_tree(source).items.values() if isinstance(item, GwyObject)]
            return any(keys.VERSION in meta.items for meta in metas)
        case "npz":
            try:
                with source.open() as file, zipfile.ZipFile(file) as archive:
                    return {"measured.npy", "pixel_size_m.npy", "unit.npy"} <= set(archive.namelist())
            except (zipfile.BadZipFile, NotImplementedError, ValueError):
                return False
        case "tif":
            from stmviewer.files.tiff import is_ours

            return is_ours(source)
        case "h5":
            from stmviewer.files.hdf5_reading import is_ours as is_our_h5

            return is_our_h5(source)
        case "text":
            from stmviewer.files.text_matrix import is_ours as is_our_text

            return is_our_text(source)
        case "png":
            from stmviewer.files.plain import png_texts

            return png_texts(source).get(SOFTWARE_KEY, "").startswith("stmviewer")
    return False
