"""What the user should know of unit cells that were followed."""

from collections.abc import Sequence

from stmviewer.restore.cells.found import Cells
from stmviewer.restore.checks import Check
from stmviewer.restore.classical import CELLS


def cell_checks(cells: Cells | None, methods: Sequence[str], networks: bool) -> list[Check]:
    """What the user should know of the cells, for an image by those methods, some of which may be networks."""
    if cells is not None and (networks or CELLS in methods):
        scale, unit = (1e9, "nm") if cells.geometry.calibrated else (1.0, "pixels")
        long, short = (scale * side for side in cells.sides())
        text = (
            f"A unit cell of {long:.3g} × {short:.3g} {unit} was followed through the gaps: {cells.peaks} "
            f"of the {cells.seen} sharpest waves of the measurement lie on its lattice; what gaps hide of one cell, "
            "others show. A defect that lies in a gap is drawn as an intact cell; to compare, plate alone "
            "follows nothing"
        )
        return [Check("cells", text)]
    if cells is None and CELLS in methods:
        text = "No lattice was recognised whose unit cell could be followed: this is linear interpolation"
        return [Check("cells", text, warns=True)]
    return []
