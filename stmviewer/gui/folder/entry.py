"""One file of the list, which files are wanted, and in which order. Without Qt."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from stmviewer.gui.quantities import MINUS
from stmviewer.services.events import Thumbnail
from stmviewer.services.file_facts import FileFacts
from stmviewer.services.judging import Judged, TipKind, TipState
from stmviewer.services.notes import Note

#: what the list says of a tip: its kind, `unsure` where no kind is likely, `other` on a surface that the judge does not
#: know, `none` where it is not judged (yet)
TipMark = Literal["good", "double", "change", "blurry", "unsure", "other", "none"]
TIP_WORDS: Mapping[TipMark, str] = {
    "good": "good",
    "double": "double",
    "change": "changed",
    "blurry": "blurry",
    "unsure": "not sure",
    "other": "not judged",
    "none": "",
}
Order = Literal["name", "newest", "recorded", "size", "bias", "tip", "star"]
ORDERS: Mapping[Order, str] = {
    "name": "By name",
    "newest": "Newest first",
    "recorded": "By date of the scan",
    "size": "By size",
    "bias": "By bias",
    "tip": "Good tips first",
    "star": "Starred first",
}
_TIP_ORDER: tuple[TipMark, ...] = ("good", "change", "double", "blurry", "unsure", "other", "none")


@dataclass
class Entry:
    """A file with what is known of it by now; `drawn` is for the widget that draws it."""

    path: Path
    text: str
    thumbnail: Thumbnail | None = None
    note: Note = field(default_factory=Note)
    tip: Judged | None = None
    drawn: Any = field(default=None, compare=False)

    @property
    def facts(self) -> FileFacts | None:
        return self.thumbnail.facts if self.thumbnail is not None else None

    @property
    def tip_mark(self) -> TipMark:
        if not isinstance(self.tip, TipState):
            return "none"
        if not self.tip.recognised:
            return "other"
        if self.tip.second is not None:
            return "double"
        kind: TipKind = self.tip.kind
        return kind if self.tip.sure else "unsure"

    @property
    def tip_text(self) -> str:
        """`double 80 %`, `changed at line 120`; empty where it was not judged."""
        if not isinstance(self.tip, TipState):
            return ""
        word = TIP_WORDS[self.tip_mark]
        if self.tip_mark == "change" and self.tip.changed_at is not None:
            return f"{word} at line {self.tip.changed_at + 1}"
        # (a second end is seen by what repeats: it has no probability)
        bare = self.tip_mark in ("unsure", "other") or self.tip.second is not None
        return word if bare else f"{word} {100 * self.tip.probabilities[self.tip.kind]:.0f} %"

    @property
    def facts_text(self) -> str:
        """`50 nm · −1.2 V`, as far as the file says."""
        if self.thumbnail is not None and self.thumbnail.fault:
            return "cannot be opened"
        facts, parts = self.facts, []
        if facts is None:
            return ""
        side = facts.larger_side_m
        parts.append(_length(side) if side is not None else f"{facts.columns} × {facts.rows} px")
        if facts.bias_v is not None:
            parts.append(_bias(facts.bias_v))
        return " · ".join(parts)

    @property
    def tooltip(self) -> str:
        if self.thumbnail is not None and self.thumbnail.fault:
            return self.thumbnail.fault
        lines = [str(self.path)]
        if self.thumbnail is not None:
            lines.append(self.thumbnail.label)
        if self.facts is not None and self.facts.recorded:
            lines.append(self.facts.recorded)
        if isinstance(self.tip, TipState):
            lines += [self.tip.text, "(It has learned from H:Si(100) alone, and cannot judge tips on other surfaces.)"]
        if self.note.text:
            lines += ["", self.note.text]
        return "\n".join(lines)


@dataclass(frozen=True)
class Range:
    """From `low` to `high`, each left open when it is None."""

    low: float | None = None
    high: float | None = None

    @property
    def open(self) -> bool:
        return self.low is None and self.high is None

    def holds(self, value: float | None) -> bool:
        """Whether `value` lies inside; what is not known lies in no range but the open one."""
        if self.open:
            return True
        if value is None:
            return False
        return (self.low is None or value >= self.low - 1e-9) and (self.high is None or value <= self.high + 1e-9)


@dataclass(frozen=True)
class Wanted:
    """Which files the list shows. All words of `text` occur in the name or the note; `first` and `last` are days, or
    the beginnings of days: 2024, 2024-05."""

    text: str = ""
    size_nm: Range = Range()
    bias_v: Range = Range()
    first: str = ""
    last: str = ""
    tips: frozenset[TipMark] = frozenset(get_args(TipMark))
    starred: bool = False

    @property
    def everything(self) -> bool:
        return self == Wanted()

    @property
    def asks_for_tips(self) -> bool:
        return self.tips != frozenset(get_args(TipMark))

    def holds(self, entry: Entry) -> bool:
        facts = entry.facts
        side = facts.larger_side_m if facts is not None else None
        said = f"{entry.text}\n{entry.note.text}".casefold()
        return (
            all(word in said for word in self.text.casefold().split())
            and self.size_nm.holds(1e9 * side if side is not None else None)
            and self.bias_v.holds(facts.bias_v if facts is not None else None)
            and self._in_days(facts.day if facts is not None else "")
            and entry.tip_mark in self.tips
            and (entry.note.star or not self.starred)
        )

    def _in_days(self, day: str) -> bool:
        if not (self.first or self.last):
            return True
        return bool(day) and self.first <= day and (not self.last or day[: len(self.last)] <= self.last)


def number_of(text: str) -> float | None:
    """A number as people type it, with a comma or a real minus sign; None for nothing. Raises ValueError."""
    text = text.strip().replace(",", ".").replace(MINUS, "-")
    return float(text) if text else None


def day_of(text: str) -> str:
    """A day, month or year as YYYY-MM-DD, YYYY-MM or YYYY; '' for nothing. Raises ValueError."""
    text = text.strip()
    if text and not re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", text):
        raise ValueError(f"a day reads 2024-05-31, 2024-05 or 2024, not '{text}'")
    return text


def in_order(entries: Sequence[Entry], order: Order) -> list[Path]:
    """The files of `entries` in an order of their facts, names deciding between equal ones; unknown facts last."""
    keys: Mapping[Order, Callable[[Entry], Any]] = {
        "recorded": lambda e: _last(e.facts.recorded or e.facts.day if e.facts else None),
        "size": lambda e: _last(e.facts.larger_side_m if e.facts else None),
        "bias": lambda e: _last(e.facts.bias_v if e.facts else None),
        "tip": lambda e: _TIP_ORDER.index(e.tip_mark),
        "star": lambda e: not e.note.star,
    }
    key = keys[order]
    return [e.path for e in sorted(sorted(entries, key=lambda e: e.path), key=key)]


def _last(value: Any) -> tuple[bool, Any]:
    """A key that puts None at the end."""
    return (True, 0) if value is None or value == "" else (False, value)


def _length(metres: float) -> str:
    return f"{metres * 1e6:.3g} µm" if metres >= 0.9995e-6 else f"{metres * 1e9:.3g} nm"


def _bias(volts: float) -> str:
    volts = round(volts, 7) + 0.0  # a converter drives at microvolts at best; what is less is a zero
    text = f"{volts:.3g} V" if abs(volts) >= 0.1 or volts == 0 else f"{volts * 1e3:.3g} mV"
    return text.replace("-", MINUS)
