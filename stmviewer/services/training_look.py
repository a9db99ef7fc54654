"""A look at a folder before a model is trained on it: what can be used, what cannot and why, which scans show the same
place, and which sessions to keep aside for checking."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from stmviewer.files import endings, open_scan, readable
from stmviewer.scan import FileError, Progress, Scan, StmviewerError
from stmviewer.services.jobs import Job
from stmviewer.services.training_places import Link, LinkFinder, Seen

#: side of the crops that a training takes, and of those for folders of small scans (pixels)
CROP, SMALL_CROP = 64, 32
#: what a scan must be larger by than a crop: what lies around it
_AROUND = 32
#: share of the scans that is kept aside, and the most that it may become where sessions are large
_ASIDE, _MOST_ASIDE = 0.2, 0.4
#: fewer scans than this are all needed for training
_LEAST_TO_SPLIT = 5
#: numbers at the end of a name count the scans of a session: scan_0012, cu-3_4, run--10_8
_COUNTER = re.compile(r"[\s_.()-]*\d+$")


@dataclass(frozen=True)
class LookedScan:
    """A file of the folder. `name` is its path below it with slashes; `reason` says why it cannot be used, '' if it
    can. `pixel_m` is None where the file does not say it. `copy_of` names the scan whose very values it has."""

    name: str
    path: Path
    session: str = ""
    reason: str = ""
    rows: int = 0
    columns: int = 0
    pixel_m: float | None = None
    #: of its values; '' where the file does not say it
    unit: str = ""
    copy_of: str = ""
    #: number of its place from 1 on, where others show the same; 0 where none does
    place: int = 0
    #: how that is known, in words
    place_by: str = ""


@dataclass(frozen=True)
class FolderLook:
    """What is in a folder, and the suggested split: `aside` are names of scans to check on, `split_by` says how."""

    folder: Path
    scans: tuple[LookedScan, ...]
    aside: frozenset[str] = frozenset()
    split_by: str = ""

    @property
    def crop(self) -> int:
        """The side of the crops to train with: the usual one, unless all scans are too small for it."""
        return _crop_for(self.usable)

    @property
    def usable(self) -> list[LookedScan]:
        return [s for s in self.scans if not s.reason]

    @property
    def rejected(self) -> list[LookedScan]:
        return [s for s in self.scans if s.reason]


def look_job(folder: Path) -> Job:
    """A job that looks at every readable file below `folder`; its result is a FolderLook.

    Raises FileError where there is no folder, or nothing in it that a reader knows.
    """
    return lambda context: look(folder, context.progress)


def look(folder: Path, progress: Progress) -> FolderLook:
    """See `look_job`."""
    files = _files(folder, progress)
    names = {path: path.relative_to(folder).as_posix() for path in files}
    sessions = _sessions(list(names.values()))
    reading = progress.part(1.0, "Looking at the scans", len(files))
    found: list[LookedScan] = []
    places = LinkFinder()
    for number, (path, name) in enumerate(names.items(), 1):
        reading.step = f"Looking at the scans: {number} of {len(files)}"
        found.append(_looked(name, path, sessions[name], places))
        reading.tick()
    found = _as_a_folder(folder, found)
    scans = _placed(found, places.links)
    aside, split_by = suggest_split([s for s in scans if not s.reason and not s.copy_of])
    return FolderLook(folder, tuple(scans), aside, split_by)


def _files(folder: Path, progress: Progress) -> list[Path]:
    if not folder.is_dir():
        raise FileError(folder, "there is no such folder", "Choose a folder of good scans")
    found = []
    for where, folders, names in os.walk(folder, onerror=None):
        folders.sort()
        for name in names:
            progress.check()
            path = Path(where) / name
            if path.is_file() and readable(path):
                found.append(path)
    if not found:
        raise FileError(folder, "there is no scan in this folder", f"Readable are {endings()}")
    return sorted(found)


def _looked(name: str, path: Path, session: str, places: LinkFinder) -> LookedScan:
    try:
        scan = open_scan(path)
        reason, frame, unit = why_not(name, scan), scan.geometry, scan.channel().unit
        if not reason:
            places.add(Seen.of(name, session, frame, scan.channel().data))
    except FileError as error:
        return LookedScan(name, path, session, error.cause)
    except StmviewerError as error:
        return LookedScan(name, path, session, str(error))
    except MemoryError:
        return LookedScan(name, path, session, "it does not fit into the memory of this computer")
    pixel = frame.pixel_width if frame.calibrated else None
    return LookedScan(name, path, session, reason, frame.rows, frame.columns, pixel, unit)


def _as_a_folder(folder: Path, scans: Sequence[LookedScan]) -> list[LookedScan]:
    """The scans, those with a reason that cannot be seen in one alone: of a session for judging, of another unit, too
    small beside larger ones."""
    from stmviewer.train.folder import JUDGED_BY, in_another_unit, judged_by, session, usual_unit

    judging = judged_by(folder)
    found = [replace(s, reason=JUDGED_BY) if not s.reason and session(s.path) in judging else s for s in scans]
    crop = _crop_for([s for s in found if not s.reason])
    small = ("", _too_small(SMALL_CROP))
    found = [
        replace(s, reason=_too_small(crop)) if s.reason in small and _side(s) < crop + _AROUND else s for s in found
    ]
    usual = usual_unit([s.unit for s in found if not s.reason])
    return [replace(s, reason=in_another_unit(s.unit, usual)) if not s.reason and s.unit != usual else s for s in found]


def _side(scan: LookedScan) -> int:
    return min(scan.rows, scan.columns)


def _crop_for(scans: Sequence[LookedScan]) -> int:
    return CROP if not scans or max(map(_side, scans)) >= CROP + _AROUND else SMALL_CROP


def _too_small(crop: int) -> str:
    return f"smaller than {crop + _AROUND} pixels a side"


def why_not(name: str, scan: Scan) -> str:
    """Why a scan cannot be trained on; '' when it can. The rules of training itself (`train.folder.read_folder`)."""
    channel = scan.channel()
    reason = channel.why_not_restorable()
    if reason is not None:
        return reason
    if not channel.measured.all():
        return "some of its pixels were not measured"
    if min(channel.data.shape) < SMALL_CROP + _AROUND:
        return _too_small(SMALL_CROP)
    if name != name.strip() or not name.isprintable():
        return "its name begins or ends with a blank, or has signs that cannot be written in a list"
    return ""


def _sessions(names: Sequence[str]) -> dict[str, str]:
    """The session of each scan: its folder where there are several, else what its name begins with."""
    folders = {name: PurePosixPath(name).parent.as_posix() for name in names}
    if len(set(folders.values())) > 1:
        return folders
    return {name: session_of(PurePosixPath(name).stem) for name in names}


def session_of(stem: str) -> str:
    """What a name begins with, its counters taken off: `2014Nov21-173705_s--10_8` and `cu_017` become
    `2014Nov21-173705_s` and `cu`."""
    short = _COUNTER.sub("", stem)
    while short and (shorter := _COUNTER.sub("", short)) != short and not re.search(r"\d{6}$", short):
        short = shorter
    return short or "numbered scans"


def _placed(scans: Sequence[LookedScan], links: Sequence[Link]) -> list[LookedScan]:
    """The scans with the numbers of their places, and copies marked."""
    usable = {s.name: s for s in scans if not s.reason}
    links = [x for x in links if x.first in usable and x.second in usable]
    groups = joined(usable, [(x.first, x.second) for x in links])
    numbers: dict[str, int] = {}
    for number, group in enumerate((g for g in groups if len(g) > 1), 1):
        numbers.update(dict.fromkeys(group, number))
    how: dict[str, str] = {}
    copies = {x.second: x.first for x in links if x.how == "copy"}
    words = {"frame": "same offset and size", "sight": "looks the same", "copy": "the same values"}
    for link in links:
        for name in (link.first, link.second):
            how.setdefault(name, words[link.how])
    return [
        replace(s, place=numbers.get(s.name, 0), place_by=how.get(s.name, ""), copy_of=copies.get(s.name, ""))
        for s in scans
    ]


def joined(names: Iterable[str], pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Names in groups: those of a pair are in one."""
    parent = {name: name for name in names}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for a, b in pairs:
        parent[root(b)] = root(a)
    groups: dict[str, list[str]] = {}
    for name in parent:
        groups.setdefault(root(name), []).append(name)
    return list(groups.values())


def suggest_split(scans: Sequence[LookedScan]) -> tuple[frozenset[str], str]:
    """Names to keep aside, and in words how they were chosen: whole sessions, or where there is one only whole places.

    Scans of one place are never on both sides, and no scan is cut in two.
    """
    if len(scans) < _LEAST_TO_SPLIT:
        return (
            frozenset(),
            f"{len(scans)} scans are too few to keep some aside: what the curves show is of the same scans",
        )
    by_session: dict[str, list[str]] = {}
    by_place: dict[int, list[str]] = {}
    for scan in scans:
        by_session.setdefault(scan.session, []).append(scan.name)
        if scan.place:
            by_place.setdefault(scan.place, []).append(scan.name)
    places = [(group[0], other) for group in by_place.values() for other in group[1:]]
    chains = [(group[0], other) for group in by_session.values() for other in group[1:]]
    names = [s.name for s in scans]
    session_of_name = {s.name: s.session for s in scans}
    aside = _chosen(joined(names, [*places, *chains]), len(scans))
    if aside:
        sessions = len({session_of_name[name] for name in aside})
        return aside, f"{sessions} of {len(by_session)} sessions kept aside as a whole"
    aside = _chosen(joined(names, places), len(scans))
    if aside:
        return aside, "all are of one session, and whole places of it are kept aside, which flatters a model"
    return frozenset(), "none; all show one place, and what the curves show is of the same scans"


def _chosen(groups: Sequence[list[str]], count: int) -> frozenset[str]:
    """Whole groups, the small ones first, up to the share that is kept aside; one at least, if it is not too large."""
    ordered = sorted(groups, key=lambda g: (len(g), g[0]))
    if len(ordered) < 2:
        return frozenset()
    aside: list[str] = []
    for group in ordered[:-1]:  # the largest is for training
        if len(aside) + len(group) <= max(_ASIDE * count, 1):
            aside += group
    if not aside and len(ordered[0]) <= _MOST_ASIDE * count:
        aside = ordered[0]
    return frozenset(aside)


def summary(look: FolderLook) -> str:
    """`36 scans, 512 × 512 pixels, 0.098 nm per pixel; 2 cannot be used`."""
    scans = look.usable
    if not scans:
        return f"None of {len(look.scans)} files can be used"
    shapes = [(s.columns, s.rows) for s in scans]
    small, large = min(shapes), max(shapes)
    sizes = f"{small[0]} × {small[1]}" + (f" to {large[0]} × {large[1]}" if small != large else "")
    known = np.array([s.pixel_m for s in scans if s.pixel_m is not None]) * 1e9
    if not len(known):
        pixels = "pixel size not known"
    else:
        low, high = float(known.min()), float(known.max())
        pixels = f"{low:.3g} nm per pixel" if high < 1.02 * low else f"{low:.3g} to {high:.3g} nm per pixel"
        if len(known) < len(scans):
            pixels += f" ({len(scans) - len(known)} do not say it)"
    sessions = len({s.session for s in scans})
    parts = [
        f"{len(scans)} scan{'s' * (len(scans) != 1)} of {sessions} session{'s' * (sessions != 1)}",
        sizes + " pixels",
    ]
    text = ", ".join([*parts, pixels])
    return text + (f"; {len(look.rejected)} cannot be used" if look.rejected else "")
