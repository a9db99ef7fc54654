"""What goes into the frozen application: checked without building it, which takes minutes."""

import ast
import importlib.util
import json
import re
from importlib import metadata
from pathlib import Path

import bundle
import pytest

import stmviewer

ROOT = Path(__file__).resolve().parents[2]


def test_the_version_is_that_of_the_package():
    assert bundle.version() == stmviewer.__version__


def test_every_module_is_named():
    named = bundle.modules()
    assert {"stmviewer", "stmviewer.cli.smoke", "stmviewer.gui.window", "stmviewer.restore.pipeline"} <= set(named)
    assert len(named) == len(set(named)) == len(list((ROOT / "stmviewer").rglob("*.py")))


def test_the_commands_that_are_imported_by_name_are_among_them():
    from stmviewer.cli.main import COMMANDS

    assert {f"stmviewer.cli.{module}" for module, _ in COMMANDS.values()} <= set(bundle.modules())


def test_resources_models_and_our_licence_go_in_under_the_paths_that_the_application_looks_at():
    inside = {f"{folder}/{Path(source).name}" for source, folder in bundle.data_files()}
    assert "licences/LICENSE" in inside
    for manifest in ("models/manifest.json", "models/judges.json"):
        assert manifest in inside
    for name in json.loads((ROOT / "models" / "manifest.json").read_text(encoding="utf-8")).get("models", {}):
        assert {f"models/{name}.safetensors", f"models/{name}.md"} <= inside
    assert {f"models/{p.name}" for p in (ROOT / "models").glob("*.safetensors")} <= inside
    for part in ("samples/si001h-double-tip.gwy", "icons/stmviewer.svg", "colours/gwyddion-net.json"):
        assert f"resources/{part}" in inside
    assert all(Path(source).is_file() for source, _ in bundle.data_files())


def test_scripts_and_pictures_of_the_readme_stay_out():
    inside = [f"{folder}/{Path(source).name}" for source, folder in bundle.data_files()]
    assert not [name for name in inside if name.endswith(".py") or "resources/pictures" in name]


@pytest.mark.parametrize(
    "kept",
    [
        "torch/bin/torch_shm_manager",
        "torch/testing/_internal/common_utils.py",
        "torch/distributed/__init__.py",
        "torch/lib/libtorch_cpu.so",
        "PySide6/Qt/plugins/platforms/libqxcb.so",
        "PySide6/Qt/plugins/platforms/libqoffscreen.so",
        "PySide6/Qt/plugins/platforms/libqwayland.so",
        "PySide6/plugins/platforms/qwindows.dll",
        "PySide6/Qt/plugins/iconengines/libqsvgicon.so",
        "PySide6/Qt/lib/libQt6Svg.so.6",
        "PySide6/Qt6Network.dll",
        "skimage/__init__.pyi",
        "libxcb-cursor.so.0",
        "libxkbcommon-x11.so.0",
        "libssl.so.3",
        "pillow.libs/libxcb-9065bb12.so.1.1.0",
        "models/regression-sim.safetensors",
        "resources/samples/si001h-double-tip.gwy",
        "resources/report/report.html.j2",
        "matplotlib/mpl-data/matplotlibrc",
    ],
)
def test_what_is_needed_is_kept(kept):
    assert not bundle.dropped(kept, linux=True)
    assert not bundle.dropped(kept.replace("/", "\\"))


@pytest.mark.parametrize(
    "left_out",
    [
        "torch/bin/test_api",
        "torch/bin/protoc",
        "torch/include/ATen/ATen.h",
        "torch/test/x.pt",
        "PySide6/Qt/translations/qtbase_de.qm",
        "PySide6/translations/qtbase_de.qm",
        "PySide6/Qt/plugins/platforms/libqeglfs.so",
        "PySide6/Qt/plugins/platforms/libqvnc.so",
        "PySide6/Qt/plugins/platformthemes/libqgtk3.so",
        "PySide6/Qt/lib/libQt6Quick.so.6",
        "PySide6/Qt6Quick.dll",
        "libQt6PrintSupport.so.6",
        "scipy/stats/tests/data/x.npz",
        "PySide6/opengl32sw.dll",
    ],
)
def test_what_nobody_uses_is_left_out(left_out):
    assert bundle.dropped(left_out)


@pytest.mark.parametrize(
    "name",
    ["libstdc++.so.6", "libgcc_s.so.1", "libX11.so.6", "libglib-2.0.so.0", "libfontconfig.so.1", "libdbus-1.so.3"],
)
def test_libraries_of_the_desktop_are_left_to_it_on_linux_alone(name):
    assert bundle.dropped(name, linux=True)
    assert not bundle.dropped(name)


def test_tests_of_libraries_are_left_out_but_not_what_is_called_testing():
    assert bundle.module_dropped("scipy.stats.tests.test_stats")
    assert bundle.module_dropped("matplotlib.tests")
    assert not bundle.module_dropped("torch.testing._internal.common_utils")
    assert not bundle.module_dropped("numpy.testing")
    assert not bundle.module_dropped("jinja2.tests")


def test_nothing_that_stmviewer_imports_is_excluded():
    imported = set()
    for path in (ROOT / "stmviewer").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        imported |= set(re.findall(r"^\s*(?:import|from) ([\w.]+)", text, re.MULTILINE))
    assert "PySide6.QtNetwork" in imported
    # the speed of nanonispy2 is compared with ours where it is installed
    excluded = set(bundle.EXCLUDED_MODULES) - {"nanonispy2"}
    assert not {name for name in imported for e in excluded if name == e or name.startswith(f"{e}.")}
    assert not excluded & {"torch", "torch.testing", "torch.distributed", "torch._dynamo", "torch._inductor", "sympy"}


def test_the_metadata_that_is_copied_is_there_and_holds_what_diagnostics_name():
    from stmviewer.gui import error_report

    assert all(metadata.version(name) for name in bundle.METADATA)
    assert set(error_report._LIBRARIES) <= set(bundle.METADATA)


def test_packages_that_are_taken_whole_can_be_imported():
    assert all(importlib.util.find_spec(name) for name in bundle.WHOLE_PACKAGES)


def test_the_spec_is_python_and_names_files_that_exist():
    text = (ROOT / "installer" / "stmviewer.spec").read_text(encoding="utf-8")
    ast.parse(text)
    for script in ("icons.py", "bundle.py", "licences.py"):
        assert (ROOT / "installer" / script).is_file()
    assert '"stmviewer" / "__main__.py"' in text
