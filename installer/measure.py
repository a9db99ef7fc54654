"""Sizes and start-up times of a bundle, as a table: `python installer/measure.py FOLDER [PACKAGES] [--notes FILE]`.

Cold means that none of its files is in the page cache: they are put out of it, one by one, without touching what other
programs have there. Wall-clock time depends on what else the machine does, so processor time stands beside it.
`--notes` puts the table into the release notes, between its two marks.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bundle

BEGIN, END = "<!-- measured by installer/measure.py -->", "<!-- end -->"
_WARM_RUNS = 3


@dataclass(frozen=True)
class Run:
    """Seconds of one start: on the clock, and of the processors."""

    wall: float
    processor: float


def folder_bytes(folder: Path) -> int:
    return sum(p.lstat().st_size for p in folder.rglob("*") if not p.is_dir())


def forget(folder: Path) -> None:
    """Puts every file below `folder` out of the page cache."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


def timed(words: Sequence[str], home: Path) -> Run:
    """One run of a command to its end. Raises CalledProcessError when it fails."""
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    subprocess.run(words, env=environment, check=True, capture_output=True, cwd=home)
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def starts(application: Path) -> list[tuple[str, Run, Run]]:
    """(what, cold, warm) for the starts that a user waits for; warm is the median of some."""
    program = str(application / "stmviewer")
    sample = str(application / "_internal" / "resources" / "samples" / "si001h-double-tip.gwy")
    commands = {
        "window opened on a scan, drawn and closed": [program, "smoke-test", "--only", "window"],
        "`stmviewer info`": [program, "info", sample],
        "`stmviewer restore`, 320 x 320 pixels, checks included": [
            *(program, "restore", sample, "--task", "repair", "--model", "regression-sim"),
            *("--format", "npz", "-o", "out"),
        ],
    }
    found = []
    for what, words in commands.items():
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            forget(application)
            cold = timed(words, home)
            warm = []
            for _ in range(_WARM_RUNS):
                shutil.rmtree(home / "out", ignore_errors=True)
                warm.append(timed(words, home))
        middle = Run(statistics.median(r.wall for r in warm), statistics.median(r.processor for r in warm))
        found.append((what, cold, middle))
    return found


def table(sizes: dict[str, int], runs: Sequence[tuple[str, Run, Run]], version: str, machine: str) -> str:
    """Markdown."""
    lines = [f"Version {version}, {machine}.", "", "| | size |", "|---|---|"]
    lines += [f"| {what} | {size / 1e6:.0f} MB |" for what, size in sizes.items()]
    lines += ["", "| start, whole process | cold | warm | processor time, warm |", "|---|---|---|---|"]
    lines += [
        f"| {what} | {cold.wall:.1f} s | {warm.wall:.1f} s | {warm.processor:.1f} s |" for what, cold, warm in runs
    ]
    return "\n".join(lines)


def put(text: str, notes: str) -> str:
    """`notes` with `text` between the marks. Raises ValueError where it has none."""
    before, mark, rest = notes.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise ValueError(f"the notes lack {BEGIN} or {END}")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def machine_words() -> str:
    """The machine in words, with how busy it was: others' work makes a start slow."""
    load = os.getloadavg()[0]
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, load {load:.1f} at the beginning"


def main() -> int:
    parser = argparse.ArgumentParser(description="Sizes and start-up times of a bundle.")
    parser.add_argument("application", type=Path, help="the folder with the frozen application")
    parser.add_argument("packages", type=Path, nargs="*", help="installers made of it")
    parser.add_argument("--notes", type=Path, help="put the table into this file")
    chosen = parser.parse_args()
    application = chosen.application.resolve()
    words = machine_words()
    sizes = {"application folder": folder_bytes(application)}
    sizes |= {f"`{package.name}`": package.stat().st_size for package in chosen.packages}
    told = subprocess.run([application / "stmviewer", "--version"], check=True, capture_output=True, text=True).stdout
    version = told.split()[-1]
    if version != bundle.version():
        print(f"measure: the bundle is of version {version}, the source {bundle.version()}", file=sys.stderr)
    runs = starts(application)
    text = table(sizes, runs, version, words)
    print(text)
    print(json.dumps({what: {"cold": vars(cold), "warm": vars(warm)} for what, cold, warm in runs}), file=sys.stderr)
    if chosen.notes:
        chosen.notes.write_text(put(text, chosen.notes.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
