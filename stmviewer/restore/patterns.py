"""What repeats in a sparse scan and is followed through its gaps: dimer rows of known spacing, or any unit cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from stmviewer.restore import cells, library, rows
from stmviewer.restore.case import Case
from stmviewer.restore.checks import Check
from stmviewer.restore.classical import CELLS, ROWS
from stmviewer.restore.filling import kind_of_mask
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.request import RestoreRequest
from stmviewer.scan import FloatArray, Progress


class Repeated(Protocol):
    """A pattern as an image of one case."""

    def left_out(self, case: Case, progress: Progress) -> Case:
        """The case with the pattern taken from what was measured."""

    def add_to(self, image: FloatArray, progress: Progress) -> None:
        """Adds the pattern to an image of the whole case, in place."""


@dataclass(frozen=True)
class Pattern:
    """What was found in one scan."""

    found: rows.Rows | cells.Cells

    @property
    def method(self) -> str:
        """The classical method that follows it."""
        return ROWS if isinstance(self.found, rows.Rows) else CELLS

    def fit(self, case: Case, progress: Progress) -> Repeated | None:
        """The pattern as `case` shows it; None where that is too little. Raises Cancelled when the user stops it."""
        if isinstance(self.found, rows.Rows):
            return rows.fit(self.found, case, progress)
        return self.found.fit(case, progress)

    def facts(self) -> dict[str, Any]:
        """As provenance holds it."""
        return self.found.facts()


def pattern_of(case: Case, info: ModelInfo, request: RestoreRequest, progress: Progress) -> Pattern | None:
    """The pattern to follow through the gaps, dimer rows before any other: classical methods that follow none do what
    they always did. Raises Cancelled when the user stops it."""
    if request.task != "sparse":
        return None
    any_pattern = info.learned or info.name == library.AUTO.name
    found: rows.Rows | cells.Cells | None = None
    if any_pattern or info.name == ROWS:
        found = rows.find(case, progress)
    if info.name == CELLS or (any_pattern and (found is None or kind_of_mask(case.mask.measured) == "grid")):
        cell = cells.find(case, progress)
        # aliases of a large cell, such as that of Si(111)-7x7, pass for dimer rows in a grid
        if cell is not None and (found is None or cell.is_large):
            found = cell
    return None if found is None else Pattern(found)


def pattern_checks(pattern: Pattern | None, methods: Sequence[str], networks: bool) -> list[Check]:
    """What the user should know of it, for an image by those methods, some of which may be networks."""
    found = pattern.found if pattern is not None else None
    return [
        *rows.row_checks(found if isinstance(found, rows.Rows) else None, methods, networks),
        *cells.cell_checks(found if isinstance(found, cells.Cells) else None, methods, networks),
    ]
