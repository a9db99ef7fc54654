"""The Windows installer, as far as Linux can tell: it compiles, and registers and removes what it should."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import stmviewer

INSTALLER = Path(__file__).resolve().parents[2] / "installer"
WINDOWS = INSTALLER / "windows"
sys.path.insert(0, str(WINDOWS))

from payload import removal
from version_info import four_numbers, version_info

SCRIPT = (WINDOWS / "stmviewer.nsi").read_text(encoding="utf-8")


@pytest.fixture
def payload(tmp_path: Path) -> Path:
    folder = tmp_path / "stmviewer"
    for name in ("stmviewer.exe", "_internal/models/a.safetensors", "_internal/$odd name é.txt"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    return folder


def test_the_uninstaller_deletes_each_file_and_then_empty_folders(payload: Path) -> None:
    lines = [line.strip() for line in removal(payload).splitlines()]
    assert lines[0] == "!macro RemovePayload" and lines[-1] == "!macroend"
    assert [line for line in lines if line.startswith("Delete")] == [
        r'Delete "$INSTDIR\_internal\$$odd name é.txt"',
        r'Delete "$INSTDIR\_internal\models\a.safetensors"',
        r'Delete "$INSTDIR\stmviewer.exe"',
    ]
    assert lines[-3:-1] == [r'RMDir "$INSTDIR\_internal\models"', r'RMDir "$INSTDIR\_internal"']
    assert not re.search(r"^\s*RMDir\s+/r", SCRIPT, re.MULTILINE | re.IGNORECASE)


def test_paths_that_windows_cannot_hold_are_said(payload: Path) -> None:
    folder = payload / ("d" * 100)
    folder.mkdir()
    (folder / ("f" * 100)).write_bytes(b"x")
    with pytest.raises(ValueError, match="too long"):
        removal(payload)


def test_a_version_without_a_number_is_said() -> None:
    with pytest.raises(ValueError, match="unknown"):
        four_numbers("unknown")


def test_it_compiles_with_nsis_that_has_no_64_bit_parts_too() -> None:
    """That of nsis.sourceforge.io has none: `Target amd64-unicode` alone would stop the build on Windows."""
    target = re.search(r'^!if /FileExists "\$\{NSISDIR\}[^"]*amd64[^"]*"(.*?)^!endif', SCRIPT, re.MULTILINE | re.DOTALL)
    assert target is not None
    assert re.findall(r"Target (\S+)", target[1]) == ["amd64-unicode", "x86-unicode"]
    assert len(re.findall(r"^\s*Target ", SCRIPT, re.MULTILINE)) == 2


def test_both_programs_must_be_closed() -> None:
    spec = (INSTALLER / "stmviewer.spec").read_text(encoding="utf-8")
    programs = {f"{name}.exe" for name in re.findall(r'executable\("([\w-]+)", console=(?:False|True)\)', spec)}
    assert programs == set(re.findall(r'^!define (?:CONSOLE_)?PROGRAM "(.*)"', SCRIPT, re.MULTILINE))


def test_nothing_to_install_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing"):
        removal(tmp_path)


def test_what_opens_with_it_is_what_linux_and_macos_register() -> None:
    registered = set(re.findall(r'insertmacro RegisterExtension "\.(\w+)"', SCRIPT))
    assert registered == set(re.findall(r'insertmacro UnregisterExtension "\.(\w+)"', SCRIPT))
    mime = (INSTALLER / "linux" / "stmviewer-mime.xml").read_text(encoding="utf-8")
    assert registered == set(re.findall(r'glob pattern="\*\.(\w+)"', mime)) == {"sxm", "3ds", "gwy"}
    spec = (INSTALLER / "stmviewer.spec").read_text(encoding="utf-8")
    (listed,) = re.findall(r'"CFBundleTypeExtensions": \[(.*?)\]', spec)
    assert registered == set(re.findall(r'"(\w+)"', listed))


def test_it_asks_for_no_administrator_and_touches_no_machine_wide_key() -> None:
    assert "RequestExecutionLevel user" in SCRIPT
    assert "HKLM" not in SCRIPT and "HKCR" not in SCRIPT
    for line in SCRIPT.splitlines():
        if re.match(r"\s*(Delete|RMDir|DeleteRegKey)", line):
            assert r"\stmviewer\models" not in line and r"$LOCALAPPDATA\stmviewer" not in line


@pytest.mark.skipif(shutil.which("makensis") is None, reason="makensis is not installed")
def test_it_compiles(payload: Path, tmp_path: Path) -> None:
    remove, setup = tmp_path / "remove.nsh", tmp_path / "stmviewer-setup.exe"
    remove.write_text(removal(payload), encoding="utf-8-sig")
    icon = tmp_path / "stmviewer.ico"
    from PIL import Image

    Image.new("RGBA", (32, 32), "red").save(icon, sizes=[(16, 16), (32, 32)])
    words = ["makensis", "-V2", "-WX", "-DQUICK", f"-DVERSION={stmviewer.__version__}", f"-DPAYLOAD={payload}"]
    words += [f"-DREMOVE={remove}", f"-DOUTFILE={setup}", f"-DICON={icon}", str(WINDOWS / "stmviewer.nsi")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert setup.read_bytes()[:2] == b"MZ"
    lacking = subprocess.run(
        ["makensis", "-V2", str(WINDOWS / "stmviewer.nsi")], capture_output=True, text=True, check=False
    )
    assert lacking.returncode != 0 and "-DVERSION" in lacking.stdout + lacking.stderr


@pytest.mark.parametrize(
    ("version", "numbers"), [("0.1.0", "(0, 1, 0, 0)"), ("2.10.3rc1", "(2, 10, 3, 0)"), ("1.2", "(1, 2, 0, 0)")]
)
def test_the_properties_of_the_program_name_its_version(version: str, numbers: str) -> None:
    text = version_info(version, "stmviewer-cli")
    assert f"filevers={numbers}" in text and f"StringStruct('FileVersion', '{version}')" in text
    assert "stmviewer-cli.exe" in text
    compile(text, "version", "eval")


def test_the_workflow_calls_what_is_there() -> None:
    yaml = pytest.importorskip("yaml")
    root = INSTALLER.parent
    workflow = yaml.safe_load((root / ".github" / "workflows" / "installers.yml").read_text(encoding="utf-8"))
    assert set(workflow["jobs"]) == {"linux", "windows", "macos"}
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert all(("uses" in step) != ("run" in step) for step in steps)
    for step in steps:
        for target in re.findall(r"^make (\w+)", step.get("run", ""), re.MULTILINE):
            assert f"\n{target}:" in makefile
        for script in re.findall(r"installer/[\w./-]+\.(?:ps1|spec|py|sh)", step.get("run", "")):
            assert (root / script).is_file(), script


def test_the_build_script_names_files_that_are_there() -> None:
    script = (INSTALLER / "build_windows.ps1").read_text(encoding="utf-8")
    for name in re.findall(r'"(installer\\[\w\\.]+)"', script):
        assert (INSTALLER.parent / name.replace("\\", "/")).is_file(), name
    for define in re.findall(r"-D(\w+)=", script):
        assert f"${{{define}}}" in SCRIPT
    assert script.count("{") == script.count("}") and script.count("(") == script.count(")")
