"""Titles of channels in files that have only a title: name, direction and role in one line of text."""

import re
from collections.abc import Iterable
from typing import get_args

from stmviewer.scan import Channel, Direction, Role

_ROLE_WORDS: dict[Role, str] = {
    "raw": "raw",
    "processed": "processed",
    "mask": "sampling mask",
    "restored": "restored",
    "deviation": "deviation",
    "residual": "residual",
}
_ROLES = {words: role for role, words in _ROLE_WORDS.items()}

# "Z (Forward)" as Gwyddion names Nanonis channels, "Z [Backward]", "Z backward", "Z forward restored" as we do
_TITLE = re.compile(
    r"(?P<name>.*?)[\s_]*[(\[]?\b(?P<direction>forward|backward|fwd|bwd)[)\]]?"
    rf"(?:\s+(?P<role>{'|'.join(_ROLES)}))?",
    re.IGNORECASE,
)


def title_of(channel: Channel) -> str:
    """`Z forward restored`: what the channel is called in a file."""
    return f"{channel.name} {channel.direction} {_ROLE_WORDS[channel.role]}"


def parse_title(title: str) -> tuple[str, Direction, Role]:
    """Name, direction and role of a title; a title without them names a raw forward channel."""
    title = title.strip()
    match = _TITLE.fullmatch(title)
    if match is None or not match["name"]:
        return title or "untitled", "forward", "raw"
    direction: Direction = "backward" if match["direction"].casefold().startswith("b") else "forward"
    return match["name"], direction, _ROLES[(match["role"] or "raw").casefold()]


def as_direction(text: str | None) -> Direction | None:
    return next((d for d in get_args(Direction) if d == text), None)


def as_role(text: str | None) -> Role | None:
    return next((r for r in get_args(Role) if r == text), None)


class Names:
    """Gives channels of the same name, direction and role different names: the second is `Z (2)`."""

    def __init__(self, taken: Iterable[tuple[str, str, str]] = ()) -> None:
        self._taken = set(taken)

    def distinct(self, name: str, direction: Direction, role: Role = "raw") -> str:
        candidate, number = name, 1
        while (candidate.casefold(), direction, role) in self._taken:
            number += 1
            candidate = f"{name} ({number})"
        self._taken.add((candidate.casefold(), direction, role))
        return candidate
