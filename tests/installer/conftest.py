"""The scripts of installer/ are no package: they are found by their folder."""

import sys
from pathlib import Path

INSTALLER = Path(__file__).resolve().parents[2] / "installer"
sys.path.insert(0, str(INSTALLER))
