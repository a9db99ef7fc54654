"""Damages files and reports what became of them.

    cd tests && python -m files.fuzz.campaign [--count 20000] [--seed 0] [--kinds sxm,gwy] [--keep DIR]

Every case is the same for the same seed and files. A case that ends in anything but a scan or a FileError that names
file and cause, that takes more memory than four times its size and 200 MB, or longer than it may, is a fault; with
--keep its bytes are written to DIR. Exit code 1 where there was any.
"""

import argparse
import json
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .seeds import MADE
from .worker import case

_TESTS = Path(__file__).resolve().parents[2]
#: wall-clock seconds after which a file hangs, on a machine that does other things too
_HANGS_AFTER_S = 60.0


@dataclass
class Fault:
    """A case that went wrong: its number, format, file, damage, and what was seen."""

    number: int
    kind: str
    of: str
    damage: str
    said: str


@dataclass
class Report:
    """How many files of each kind were opened and refused, the faults, and the slowest case."""

    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    @property
    def cases(self) -> int:
        return sum(sum(counts.values()) for counts in self.outcomes.values())

    def count(self, begun: dict[str, str], outcome: str, seconds: float, said: str, number: int) -> None:
        self.outcomes.setdefault(begun["kind"], Counter())[outcome] += 1
        if outcome == "fault":
            self.faults.append(Fault(number, begun["kind"], begun["of"], begun["damage"], said))
        if seconds > self.slowest[0]:
            self.slowest = (seconds, f"case {number}, {begun['of']}, {begun['damage']}")

    def text(self) -> str:
        lines = [f"{'format':<9}{'opened':>8}{'refused':>9}{'faults':>8}"]
        for kind, counts in self.outcomes.items():
            lines.append(f"{kind:<9}{counts['opened']:>8}{counts['refused']:>9}{counts['fault']:>8}")
        lines.append(f"{self.cases} damaged files; the slowest took {self.slowest[0]:.2f} s ({self.slowest[1]})")
        # one of each kind: the last lines of a traceback say where it was
        distinct: dict[tuple[str, str], list[Fault]] = {}
        for fault in self.faults:
            told = fault.said.strip().splitlines()
            where = [line for line in told if line.lstrip().startswith("File ")]
            distinct.setdefault((fault.kind, where[-1] if where else told[0]), []).append(fault)
        for same in distinct.values():
            first = same[0]
            lines.append(f"\n{len(same)} x {first.kind}, first case {first.number} ({first.of}: {first.damage})")
            lines.append(first.said)
        return "\n".join(lines)


class _Worker:
    """The process that reads, and its lines as they come."""

    def __init__(self, seed: int, kinds: list[str]) -> None:
        command = [sys.executable, "-m", f"{__package__.removeprefix('tests.')}.worker", str(seed), ",".join(kinds)]
        self.process = subprocess.Popen(command, cwd=_TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def ask(self, number: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()

    def answer(self, patience_s: float) -> dict[str, str]:
        """The next line. TimeoutError where none comes, EOFError where the process has ended."""
        try:
            line = self._lines.get(timeout=patience_s)
        except queue.Empty:
            raise TimeoutError(f"it hangs: no answer after {patience_s:.0f} s") from None
        if not line:
            raise EOFError(f"the process ended with {self.process.wait()}")
        found: dict[str, str] = json.loads(line)
        return found

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


def campaign(
    numbers: range, seed: int, kinds: list[str] | None = None, tell: Callable[[Report], None] = lambda _: None
) -> Report:
    """Damages and reads the cases of those numbers."""
    chosen = kinds or list(MADE)
    report = Report()
    worker = _Worker(seed, chosen)
    try:
        for number in numbers:
            begun = {"kind": chosen[number % len(chosen)], "of": "", "damage": ""}
            try:
                worker.ask(number)
                begun = worker.answer(2 * _HANGS_AFTER_S)  # it may have to make its files first
                end = worker.answer(_HANGS_AFTER_S)
                report.count(begun, end["outcome"], float(end["seconds"]), end["said"], number)
            except (TimeoutError, EOFError, BrokenPipeError) as error:
                report.count(begun, "fault", 0.0, str(error), number)
                worker.end()
                worker = _Worker(seed, chosen)
            tell(report)
    finally:
        worker.end()
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", help=f"of {','.join(MADE)}")
    parser.add_argument("--keep", type=Path, help="folder for the bytes of faults")
    options = parser.parse_args()
    kinds = options.kinds.split(",") if options.kinds else list(MADE)
    begun = time.monotonic()

    def tell(report: Report) -> None:
        if report.cases % 500 == 0:
            rate = report.cases / (time.monotonic() - begun)
            print(f"{report.cases} of {options.count}, {len(report.faults)} faults, {rate:.0f} a second", flush=True)

    report = campaign(range(options.first, options.first + options.count), options.seed, kinds, tell)
    print(report.text())
    for fault in report.faults if options.keep else ():
        options.keep.mkdir(parents=True, exist_ok=True)
        content = case(options.seed, fault.number, kinds)[2]
        (options.keep / f"seed{options.seed}-case{fault.number}.{fault.kind}").write_bytes(content)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
