"""A unit cell that repeats, followed through the gaps of a sparse scan: averaged over the scan, it is known finely.

Lines or pixels a few pixels apart sample each cell of a lattice at other places of it, unless lattice and gaps happen
to agree. So where a lattice is recognised by its long waves, which the gaps carry, all cells together show what each
of them hides: unit cell averaging, as electron microscopy of crystals does it (Unwin, Henderson, J. Mol. Biol. 94, 425,
1975; for bent lattices: Henderson et al., Ultramicroscopy 19, 147, 1986). Drift and creep bend a scan, and domains and
steps end the lattice, so that place and strength of the cell are fitted from place to place. It is taken out, what is
left of the measurement goes to any other method, and it is added to the answer.

What differs from cell to cell, such as a defect, is known where it was measured and nowhere else. Thresholds were
chosen on simulated surfaces and on patterns of any cell, of other seeds than the benchmark's.
"""

from stmviewer.restore.cells.checks import cell_checks
from stmviewer.restore.cells.fit import UnitCell, fit
from stmviewer.restore.cells.found import Cells, find

__all__ = ["Cells", "UnitCell", "cell_checks", "find", "fit"]
