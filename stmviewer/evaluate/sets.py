"""What models are judged on: fixed simulated scans, and real scans of sessions that nothing is trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from stmviewer.files import open_scan, readable
from stmviewer.scan import Channel, FileError, FloatArray, Geometry, Scan, StmviewerError
from stmviewer.scan.corrugation import Corrugation, agreed_pixels, find_rows
from stmviewer.simulate import simulate_scan, to_scan

#: seeds of the simulated benchmark; training draws from others
_BENCHMARK_SEED = 20_251_025
#: pixel sizes of the simulated benchmark (m): finely, usually and coarsely sampled (15, 7.7 and 4.3 px per dimer row)
_PIXELS_M = {"fine": 0.05e-9, "medium": 0.10e-9, "coarse": 0.18e-9}
#: real H:Si(100) is made coarse to so many pixels a dimer row, where its rows stand out of the noise so far
_COARSE_PX = 5.0
_CERTAIN = 2.0
#: images that show at least so many rows are a set of their own: a coarse scan is made of a wide field
_WIDE_ROWS = 9.0
#: real scans of other surfaces, below the folder of scans, and the channel of those of constant height
_OTHER_SURFACES: dict[str, tuple[tuple[str, str | None], ...]] = {
    "Cu(111)": (
        ("alexriss-spmimagetycoon/Image_002.sxm", None),
        ("alexriss-spmgrids/A170315.172707-00393.sxm", "Frequency_Shift"),
    ),
    "Au(111)": (("alexriss-spmimagetycoon/Image_398.sxm", None), ("pyspm/test.sxm", None)),
    "Si(111)-7x7": (("ethz-matlab_nanonis/Si_7x7_028.sxm", None), ("ethz-matlab_nanonis/Si_7x7_012.sxm", None)),
    "moire": (("spmqt-createc/sxm_moire_10nm.sxm", None),),
    "molecules": (
        ("alexriss-spmimagetycoon/Image_526.sxm", None),
        ("fairmat-pynxtools-stm/Au_mica_2023_Y_A_099.sxm", None),
        ("alexriss-spmimages/Image_445.sxm", "Current"),
    ),
    "graphite": (("spym-sm4/topo_ABC_graphite_9K_b.sm4", None),),
}
#: real images are cut to this many pixels about their centre
_CENTRE = 256


@dataclass(frozen=True)
class Case:
    """One image to judge on: the scan as given, its truth for repairs, and the group it is averaged in."""

    scan: Scan
    truth: FloatArray | None
    group: str


def simulated(count: int = 6, size: int = 256) -> dict[str, list[Case]]:
    """`count` degraded Si(001):H scans with their truth at each of three pixel sizes, always the same ones."""
    sets: dict[str, list[Case]] = {}
    for name, pixel_m in _PIXELS_M.items():
        cases = []
        for k in range(count):
            pair = simulate_scan("si001h", size, size, pixel_m, "realistic", (_BENCHMARK_SEED, k))
            cases.append(Case(to_scan(pair), pair.clean, f"simulated {k}"))
        sets[f"simulated {name}"] = cases
    return sets


def folder(path: Path, listed: Sequence[str] | None = None) -> list[Case]:
    """Every fully measured scan below `path`, its centre; unreadable and constant ones are left out.

    Scans are grouped by what their names begin with, up to the first underscore: a session, a sample. Where all begin
    alike each is a group of its own. Raises FileError when nothing is left.
    """
    if not path.is_dir():
        cause = "is a file, not a folder" if path.exists() else "there is no such folder"
        raise FileError(path, cause, "Give a folder of scans")
    files = [path / n for n in listed] if listed is not None else sorted(p for p in path.rglob("*") if p.is_file())
    cases = []
    for file in files:
        if not readable(file):
            continue
        try:
            scan = open_scan(file)
            channel = scan.channel()
            middle = centre(scan, channel)  # reads the data, which may be damaged
        except StmviewerError:
            continue
        constant = middle.channel().why_not_restorable() is not None
        if not constant and channel.measured.all() and min(channel.data.shape) >= 32:
            cases.append(Case(middle, None, file.stem.split("_")[0]))
    if not cases:
        raise FileError(path, "no fully measured scan in this folder can be judged on", "Give a folder of good scans")
    if len({case.group for case in cases}) == 1:
        cases = [replace(case, group=f"{number}") for number, case in enumerate(cases)]
    return cases


def real(data: Path, most: int = 24) -> dict[str, list[Case]]:
    """Real scans that no model was trained on; empty where there are none.

    `data` is the folder that STMVIEWER_REAL_DATA names. Good H:Si(100) images of the validation sessions: fine as they
    are (some 60 pixels a dimer row), medium at a third of that, coarse at 5 pixels a dimer row. Most show five rows;
    those of the sessions that show nine or more are a further set, coarse and wide. A microscope writes the size of
    its scans into the file; these images lack it, and it is estimated from their dimer rows, 0.768 nm apart. And one
    set for each other surface of its folder `scans`.
    """
    return {**_si100h(data / "si100h", most), **_others(data / "scans")}


def _si100h(folder_: Path, most: int) -> dict[str, list[Case]]:
    sessions = folder_ / "validation_sessions.txt"
    if not sessions.is_file():
        return {}
    wanted = set(sessions.read_text(encoding="utf-8").split())
    files = sorted(p for p in (folder_ / "pristine").glob("*.png") if p.name.split("_")[0] in wanted)
    if not files:
        return {}
    picked = files[:: max(1, len(files) // most)][:most]
    groups = [file.name.split("_")[0] for file in picked]
    channels = [open_scan(file).channel() for file in picked]
    found = [_rows_of(file, file.stat().st_mtime_ns) for file in picked]
    sizes = agreed_pixels(found, groups)
    sets: dict[str, list[Case]] = {f"real H:Si(100) {name}": [] for name in ("fine", "medium", "coarse")}
    for k, (file, channel, rows) in enumerate(zip(picked, channels, found, strict=True)):
        known = rows is not None and rows.strength > _CERTAIN
        factors = (1, 3, max(1, round(rows.period_px / _COARSE_PX)) if known and rows else 12)
        for name, factor in zip(sets, factors, strict=True):
            side = None if sizes is None else factor * sizes[k]
            sets[name].append(_made_coarser(file, channel, factor, side))
    wide = _wide(files, most)
    return {**sets, "real H:Si(100) coarse, wide": wide} if wide else sets


def _wide(files: Sequence[Path], most: int) -> list[Case]:
    """Those of the images that show nine dimer rows or more, made coarse, at most so many."""
    cases = []
    for file in files:
        channel = open_scan(file).channel()
        rows = _rows_of(file, file.stat().st_mtime_ns)
        if rows is None or rows.strength <= _CERTAIN or min(channel.data.shape) < _WIDE_ROWS * rows.period_px:
            continue
        factor = max(1, round(rows.period_px / _COARSE_PX))
        cases.append(_made_coarser(file, channel, factor, factor * rows.pixel_m))
    return cases[:: max(1, len(cases) // most)][:most]


@cache
def _rows_of(file: Path, _changed_ns: int) -> Corrugation | None:
    """The dimer rows of an image that was last changed then: looked for once in a process, which takes 0.05 s each."""
    return find_rows(open_scan(file).channel().data)


def _made_coarser(file: Path, channel: Channel, factor: int, pixel_m: float | None) -> Case:
    small = coarser(channel.data, factor)
    frame = Geometry.of_pixels(*small.shape)
    if pixel_m is not None:
        frame = replace(frame, width=frame.columns * pixel_m, height=frame.rows * pixel_m, unit="m")
    made = Scan([Channel(channel.name, channel.unit, small)], frame, path=file)
    return Case(centre(made, made.channel()), None, file.name.split("_")[0])


def coarser(image: FloatArray, factor: int) -> FloatArray:
    """What a faster scan would have measured: averaged over `factor` pixels of a line, one of `factor` lines kept.

    Averaging lines too would make truths without noise.
    """
    columns = image.shape[1] // factor * factor
    kept = image[factor // 2 :: factor, :columns]
    small: FloatArray = kept.reshape(len(kept), columns // factor, factor).mean(axis=2)
    return small


def _others(folder_: Path) -> dict[str, list[Case]]:
    sets: dict[str, list[Case]] = {}
    for surface, names in _OTHER_SURFACES.items():
        cases = []
        for name, channel in names:
            if (folder_ / name).is_file():
                scan = open_scan(folder_ / name)
                cases.append(Case(centre(scan, scan.channel(channel)), None, name))
        if cases:
            sets[f"real {surface}"] = cases
    return sets


def centre(scan: Scan, channel: Channel) -> Scan:
    """The middle of one channel as a scan of its own, at most 256 pixels a side."""
    rows, columns = (min(n, _CENTRE) for n in channel.data.shape)
    top, left = ((n - m) // 2 for n, m in zip(channel.data.shape, (rows, columns), strict=True))
    part = np.array(channel.data[top : top + rows, left : left + columns])
    g = scan.geometry
    frame = Geometry(columns, rows, columns * g.pixel_width, rows * g.pixel_height, g.unit, g.angle_deg)
    return Scan([Channel(channel.name, channel.unit, part)], frame, path=scan.path)
