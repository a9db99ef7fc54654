"""Sampling patterns in words: `lines:4` is "every 4th line". No Qt."""

from stmviewer.restore import FILE_MASK
from stmviewer.scan import RequestError
from stmviewer.scan.masks import parse_pattern

_GRIDS = {"lines": "every {} line", "grid": "grid of every {} pixel", "grid-jitter": "jittered grid of every {} pixel"}
_PARTS = {"lines-random": "random lines", "pixels": "random pixels", "spiral": "spiral"}


def mask_words(pattern: str) -> str:
    """What a pattern measures; what is none, such as the name of a file, is left as it is."""
    if pattern == FILE_MASK:
        return "the file's own gaps"
    try:
        name, value = parse_pattern(pattern)
    except RequestError:
        return pattern
    if name in _GRIDS:
        return _GRIDS[name].format(_ordinal(int(value))) if value > 1 else "every pixel"
    return f"{_PARTS[name]}, {100 * value:.3g} %"


def _ordinal(n: int) -> str:
    end = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{end}"
