"""Which images the compare pane shows: the results that were kept, images of other scans, and what is ticked. No Qt."""

from collections.abc import Sequence
from dataclasses import replace

from stmviewer.gui.candidates import Candidate, Pin, candidates, choose
from stmviewer.gui.looks import Looks, PaneLook
from stmviewer.gui.shown import Restored, Shown

#: images of other scans that are kept
_MOST_PINS = 3


class Comparison:
    """Holds the results of the channel on show and what of them is ticked."""

    def __init__(self) -> None:
        self.results: tuple[Restored, ...] = ()
        self.pins: list[Pin] = []
        self.ticked: list[object] = []

    def forget(self) -> None:
        """Another scan or channel is on show; what was kept of others stays."""
        self.results, self.ticked = (), []

    def set_results(self, shown: Shown | None, results: Sequence[Restored]) -> None:
        """Ticks what is new."""
        new = [r for r in results if r not in self.results]
        self.results = tuple(results)
        self.ticked = choose(self.candidates(shown), self.ticked, new)

    def pin(self, shown: Shown, restored: Restored | None) -> None:
        pin = Pin.of(shown, restored)
        others = [p for p in self.pins if p.label != pin.label]
        self.pins = [*others[1 - _MOST_PINS :], pin]

    def unpin(self, shown: Shown | None) -> None:
        self.pins = []
        self.ticked = choose(self.candidates(shown), self.ticked)

    def candidates(self, shown: Shown | None) -> list[Candidate]:
        return candidates(shown, self.results, self.pins) if shown is not None else []

    def looks(self, looks: Looks) -> list[PaneLook]:
        """What lies under the dividers, from left to right."""
        found = self.candidates(looks.shown)
        ticked = [c for c in found if c.source in self.ticked]
        if not self.results and len(ticked) < 2:
            # nothing restored yet: the raw image beside those that were kept of other scans
            ticked = [found[0], *(c for c in found if isinstance(c.source, Pin))] if found else []
        shown = []
        for candidate in ticked:
            result = candidate.source if isinstance(candidate.source, Restored) else None
            tint = result.inferred if result is not None and looks.display.tint else None
            look = looks.heights(candidate.label, candidate.picture, tint)
            own = candidate.plane if looks.display.levelled else None
            shown.append(replace(look, plane=own) if own is not None else look)
        return shown
