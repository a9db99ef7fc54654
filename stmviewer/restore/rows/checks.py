"""What the user should know of dimer rows that were followed."""

from collections.abc import Sequence

from stmviewer.restore.checks import Check
from stmviewer.restore.classical import ROWS
from stmviewer.restore.rows.lattice import Rows


def row_checks(rows: Rows | None, methods: Sequence[str], networks: bool) -> list[Check]:
    """What the user should know of the rows, for an image by those methods, some of which may be networks."""
    if rows is not None and (networks or ROWS in methods):
        found = rows.angles_deg()
        angles = " and ".join(f"{angle:.0f}°" for angle in found)
        which = "this one" if len(found) == 1 else "these two"
        text = (
            f"Dimer rows of Si(001) at {angles} were followed through the gaps: gaps of that width show no direction, "
            f"and in {which} what was measured has the spacing of such rows, 0.768 nm. If this is no Si(001), compare "
            "with plate, which follows nothing"
        )
        return [Check("rows", text)]
    if rows is None and ROWS in methods:
        text = "No dimer rows of Si(001) were recognised that the gaps are too wide for: this is linear interpolation"
        return [Check("rows", text, warns=True)]
    return []
