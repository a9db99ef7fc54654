"""What imports what: the contracts of pyproject.toml, and what stays unloaded until it is needed."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "scipy", "skimage", "matplotlib", "PySide6", "pyqtgraph")

pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="needs the source tree")


def python(code: str, *arguments: str) -> str:
    """What a fresh interpreter prints; its last line is what the test is about."""
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def loaded_by(code: str, *arguments: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after `code`."""
    last = "\nimport sys, json\nprint(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    return set(json.loads(python(code + last, *arguments).splitlines()[-1]))


def test_import_contracts_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports" + (".exe" if os.name == "nt" else ""))
    if not lint.is_file():
        pytest.skip("import-linter is not installed")
    run = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 broken" in run.stdout


def test_the_package_itself_loads_nothing() -> None:
    loaded = loaded_by("import stmviewer; assert stmviewer.__version__")
    assert not loaded & {*HEAVY, "numpy", "PIL", "safetensors"}


@pytest.mark.parametrize(
    "module",
    [
        "stmviewer.scan",
        "stmviewer.files",
        "stmviewer.restore",
        "stmviewer.restore.library",
        "stmviewer.services.events",
        "stmviewer.services.jobs",
        "stmviewer.services.opening",
        "stmviewer.services.restoring",
        "stmviewer.services.exporting",
        "stmviewer.services.reporting",
        "stmviewer.cli",
    ],
)
def test_libraries_that_take_seconds_stay_unloaded(module: str) -> None:
    assert not loaded_by(f"import {module}") & set(HEAVY)


def test_every_module_of_scan_stays_light() -> None:
    modules = [f"stmviewer.scan.{p.stem}" for p in (ROOT / "stmviewer" / "scan").glob("*.py") if p.stem != "__init__"]
    assert len(modules) > 5
    assert not loaded_by("import " + ", ".join(modules)) & set(HEAVY)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_info_opens_a_file_without_them(options: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "made.npy"
    np.save(path, np.random.default_rng(0).random((32, 48)))
    code = "import sys; from stmviewer.cli import run; assert run(sys.argv[1:]) == 0"
    assert not loaded_by(code, "info", str(path), *options) & set(HEAVY)
    assert "48" in python(code, "info", str(path), *options)


def test_the_window_is_imported_without_what_computes() -> None:
    pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)
    loaded = loaded_by("import stmviewer.gui.app, stmviewer.gui.window")
    assert "PySide6" in loaded
    assert not loaded & {"torch", "scipy", "skimage", "matplotlib"}


def test_listing_models_does_not_load_torch() -> None:
    loaded = loaded_by("from stmviewer.services.restoring import available_models; assert available_models()")
    assert not loaded & {"torch", "safetensors", "PySide6"}


def test_classical_methods_do_without_torch(tmp_path: Path) -> None:
    path = tmp_path / "made.npy"
    np.save(path, np.random.default_rng(0).random((32, 48)))
    code = (
        "import sys; from pathlib import Path\n"
        "from stmviewer.files import open_scan; from stmviewer.restore import RestoreRequest\n"
        "from stmviewer.restore.pipeline import restore; from stmviewer.scan import Progress\n"
        "request = RestoreRequest(task='sparse', mask='lines:4', model='cubic')\n"
        "restore(open_scan(Path(sys.argv[1])), request, Progress())"
    )
    assert "torch" not in loaded_by(code, str(path))


def test_nothing_can_unpickle() -> None:
    """No module reads pickles, under whatever name: files come from anybody, and a pickle runs what it holds."""
    readers = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "pickletools"}
    loaders = {("torch", "load"), ("torch.jit", "load"), ("torch.hub", "load_state_dict_from_url")}
    found = []
    for path in sorted((ROOT / "stmviewer").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: set[str] = set()
            if isinstance(node, ast.Import):
                names = {alias.name.partition(".")[0] for alias in node.names} & readers
            elif isinstance(node, ast.ImportFrom):
                module = node.module or ""
                names = {module.partition(".")[0]} & readers
                names |= {f"{module}.{a.name}" for a in node.names if (module, a.name) in loaders}
            elif isinstance(node, ast.Attribute):
                names = {ast.unparse(node)} & {".".join(loader) for loader in loaders}
            elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                names = set() if ast.unparse(node.value) == "False" else {"allow_pickle"}
            found += [f"{path.relative_to(ROOT)}: {name}" for name in sorted(names)]
    assert not found
