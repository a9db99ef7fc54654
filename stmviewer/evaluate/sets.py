"""What models are judged on: fixed simulated scans, and real scans of sessions that nothing is trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stmviewer.files import open_scan, readable
from stmviewer.scan import Channel, FileError, FloatArray, Geometry, Scan, StmviewerError
from stmviewer.simulate import simulate_scan, to_scan

#: seeds of the simulated benchmark; training draws from others
_BENCHMARK_SEED = 20_251_025
#: pixel sizes of the simulated benchmark (m): finely, usually and coarsely sampled (15, 7.7 and 4.3 px per dimer row)
_PIXELS_M = {"fine": 0.05e-9, "medium": 0.10e-9, "coarse": 0.18e-9}
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
        raise FileError(path, "there is no such folder", "Give a folder of scans")
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
    """Good H:Si(100) images of the validation sessions, as they are and made coarse; empty where there are none.

    `data` is the folder that STMVIEWER_REAL_DATA names. Coarse: averaged over three pixels along the fast axis, two
    of three lines dropped, as a faster scan would be; averaging lines would make truths without noise.
    """
    sessions = data / "si100h" / "validation_sessions.txt"
    if not sessions.is_file():
        return {}
    wanted = set(sessions.read_text(encoding="utf-8").split())
    files = sorted(p for p in (data / "si100h" / "pristine").glob("*.png") if p.name.split("_")[0] in wanted)
    if not files:
        return {}
    step = max(1, len(files) // most)
    fine, coarse = [], []
    for file in files[::step][:most]:
        scan = open_scan(file)
        channel = scan.channel()
        group = file.name.split("_")[0]
        fine.append(Case(centre(scan, channel), None, group))
        columns = channel.data.shape[1] // 3 * 3
        small = channel.data[1::3, :columns].reshape(-1, columns // 3, 3).mean(axis=2)
        made = Scan([Channel(channel.name, channel.unit, small)], Geometry.of_pixels(*small.shape), path=file)
        coarse.append(Case(centre(made, made.channel()), None, group))
    return {"real H:Si(100) fine": fine, "real H:Si(100) coarse": coarse}


def centre(scan: Scan, channel: Channel) -> Scan:
    """The middle of one channel as a scan of its own, at most 256 pixels a side."""
    rows, columns = (min(n, _CENTRE) for n in channel.data.shape)
    top, left = ((n - m) // 2 for n, m in zip(channel.data.shape, (rows, columns), strict=True))
    part = np.array(channel.data[top : top + rows, left : left + columns])
    g = scan.geometry
    frame = Geometry(columns, rows, columns * g.pixel_width, rows * g.pixel_height, g.unit, g.angle_deg)
    return Scan([Channel(channel.name, channel.unit, part)], frame, path=scan.path)
