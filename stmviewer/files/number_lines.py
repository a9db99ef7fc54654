"""Lines of numbers in text files: what sets the numbers apart, and how a fraction is written."""

import math
import re
from dataclasses import dataclass
from itertools import pairwise

#: what is written for a value that is not there
_NO_NUMBER = ("", "nan", "n/a", "na", "-", "--", "null")
#: fewer columns than this, and more lines than columns, are a curve or a list of points
FEWEST_COLUMNS = 4
_SEPARATORS = ("\t", ";", ",", None)


@dataclass(frozen=True)
class Dialect:
    """How a line of numbers is written: `separator` is None for blanks. Where it is no comma, a comma may begin the
    fraction."""

    separator: str | None

    @property
    def in_words(self) -> str:
        names = {"\t": "tabs", ";": "semicolons", ",": "commas", None: "blanks"}
        return names[self.separator]

    def cells(self, line: str) -> list[str]:
        cells = line.strip().split() if self.separator is None else line.strip("\r\n").split(self.separator)
        if len(cells) > 1 and not cells[-1].strip():
            cells.pop()  # a separator after the last number
        return cells

    def value(self, cell: str) -> float:
        """The number in a cell, NaN for one that is empty. ValueError for anything else."""
        text = cell.strip()
        if text.casefold() in _NO_NUMBER:
            return math.nan
        return float(text if self.separator == "," else text.replace(",", ".", 1))

    def fits(self, line: str) -> bool:
        """Whether a line is two numbers or more in this dialect."""
        cells = self.cells(line)
        try:
            values = [self.value(cell) for cell in cells]
        except ValueError:
            return False
        unmeasured = all(cell.strip().casefold() == "nan" for cell in cells)
        return len(cells) > 1 and (unmeasured or any(map(math.isfinite, values)))


def dialect_of(line: str) -> Dialect | None:
    """The dialect in which a line is two numbers or more; None where there is none."""
    return next((found for found in map(Dialect, _SEPARATORS) if found.fits(line)), None)


def first_lines(head: bytes) -> list[str] | None:
    """The first lines of a file that are neither empty nor comments, from its first bytes; None for what is no text.

    A line that the bytes end within comes without the number that may be cut.
    """
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head[: len(head) // 2 * 2].decode("utf-16", errors="replace")
    elif b"\0" in head:
        return None
    else:
        text = head.decode("latin-1")
    lines = re.split(r"[\r\n]+", text.lstrip("\ufeff").removeprefix("\xef\xbb\xbf"))
    if len(lines) == 1:
        lines = [re.sub(r"[^\s,;]*$", "", lines[0])] if len(head) > 4096 else lines
    elif len(lines) > 2:
        lines.pop()
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def begins_with_numbers(lines: list[str]) -> bool:
    return bool(lines) and dialect_of(lines[0]) is not None


def table_titles(lines: list[str]) -> str:
    """The titles of a table, quoted, where a line of words is followed by as many numbers; else nothing."""
    for words, numbers in pairwise(lines[:20]):
        dialect = dialect_of(numbers)
        if dialect is None:
            continue
        titles = [word.strip().strip('"') for word in dialect.cells(words)]
        if len(titles) < 2 or not any(title and title[0].isalpha() for title in titles):
            return ""
        shown = [f"'{title[:30]}'" for title in titles[:4] if title.isprintable()]
        return ", ".join(shown) + (" and more" if len(titles) > 4 else "")
    return ""
