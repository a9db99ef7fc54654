"""Dimer rows of Si(001) followed through the gaps of a sparse scan, as waves of their known lattice.

Rows five pixels apart make a wave that every fourth line samples less than twice a period, and the dimers along them
one that every second line does: interpolation, and a network that sees its surroundings alone, then cannot tell them
from their aliases, and draws both directions of the rows at once. But the lattice is known: rows 0.768 nm apart, dimers
every 0.384 nm along them, both turned by 90 degrees at monatomic steps. So the lattice that explains the measured
lines best is looked for (`lattice`), the amplitudes of its waves are fitted from place to place (`waves`) and taken
out; what is left of the measurement goes to any other method, and the waves are added to its answer.

Thresholds were chosen on coarse images of H:Si(100) of sessions that models are trained on, on simulated Si(001):H of
other seeds than the benchmark's, and on other surfaces, simulated and real.
"""

from stmviewer.restore.rows.checks import row_checks
from stmviewer.restore.rows.lattice import Rows, find
from stmviewer.restore.rows.waves import RowWaves, fit

__all__ = ["RowWaves", "Rows", "find", "fit", "row_checks"]
