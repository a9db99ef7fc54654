"""How well a few typed letters fit a text. Without Qt."""

_WORD, _NEXT, _ANY = 8, 5, 1


def fit(typed: str, text: str) -> int | None:
    """A number that grows with the fit; None when the letters of `typed` do not occur in `text` in their order.

    Letters at the beginning of words count most, then letters that follow each other. Spaces are not looked for. The
    best way to find the letters counts: one that begins later may follow more closely.
    """
    wanted = "".join(typed.casefold().split())
    said = text.casefold()
    if not wanted:
        return 0
    best: dict[int, int] = {}  # by the place of the last letter that was found
    for number, letter in enumerate(wanted):
        now: dict[int, int] = {}
        for place, other in enumerate(said):
            if other != letter:
                continue
            start = _WORD if place == 0 or not said[place - 1].isalnum() else _ANY
            if number == 0:
                now[place] = start
                continue
            before = [
                score + (max(_NEXT, start) if place == last + 1 else start)
                for last, score in best.items()
                if last < place
            ]
            if before:
                now[place] = max(before)
        if not now:
            return None
        best = now
    return max(best.values()) * 4 - len(said) // 8  # of equal fits the shorter text
