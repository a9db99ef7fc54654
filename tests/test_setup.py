"""Finding things in the source tree, a wheel and a frozen application; Makefile, CI and README agree; a real wheel."""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import stmviewer
from stmviewer import paths

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8") if (ROOT / "README.md").is_file() else ""
TARGETS = set(re.findall(r"^([a-z][\w-]*):", MAKEFILE, re.MULTILINE))

needs_sh = pytest.mark.skipif(shutil.which("sh") is None, reason="there is no POSIX shell here")
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


# paths


def test_in_the_source_tree_resources_and_models_lie_beside_the_package():
    assert paths.resources() == ROOT / "resources"
    assert paths.shipped_models() == ROOT / "models"
    assert list((paths.resources() / "samples").glob("*.gwy"))


def test_in_a_wheel_they_lie_inside_the_package(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "site-packages" / "stmviewer")
    data = tmp_path / "site-packages" / "stmviewer" / "_data"
    data.mkdir(parents=True)
    assert paths.resources() == data / "resources"
    assert paths.shipped_models() == data / "models"


def test_in_a_frozen_application_they_lie_where_it_unpacks(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert paths.resources() == tmp_path / "resources"
    assert paths.shipped_models() == tmp_path / "models"


def test_the_users_folders_are_the_systems_and_models_can_be_elsewhere(monkeypatch, tmp_path):
    for folder in (paths.settings(), paths.logs(), paths.user_models()):
        assert folder.is_absolute()
        assert ROOT not in folder.parents
    assert "stmviewer" in paths.settings().parts
    monkeypatch.setenv("STMVIEWER_MODELS", str(tmp_path))
    assert paths.user_models() == tmp_path
    monkeypatch.setenv("STMVIEWER_MODELS", "")
    assert paths.user_models().name == "models"
    assert "stmviewer" in paths.user_models().parts


def test_asking_for_a_folder_makes_none(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "d"))
    monkeypatch.delenv("STMVIEWER_MODELS")
    for folder in (paths.settings, paths.logs, paths.user_models):
        folder()
    assert not list(tmp_path.iterdir())


# what pyproject, Makefile, README and CI say of each other


def test_what_a_wheel_carries_is_there():
    included = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {"resources": "stmviewer/_data/resources", "models": "stmviewer/_data/models"}
    for folder in included:
        assert (ROOT / folder).is_dir()
    assert (ROOT / PYPROJECT["project"]["license-files"][0]).is_file()


def test_the_version_is_one_that_packages_can_have():
    assert re.fullmatch(r"\d+\.\d+\.\d+([abc]\d+|rc\d+)?", stmviewer.__version__)
    assert PYPROJECT["tool"]["hatch"]["version"]["path"] == "stmviewer/__init__.py"


def test_entry_points_exist():
    scripts = PYPROJECT["project"]["scripts"] | PYPROJECT["project"]["gui-scripts"]
    assert scripts.keys() == {"stmviewer", "stmviewer-window"}
    from stmviewer import __main__

    for target in scripts.values():
        module, _, function = target.partition(":")
        assert module == "stmviewer.__main__"
        assert callable(getattr(__main__, function))


def test_make_installs_the_torch_that_pyproject_asks_for():
    (wanted,) = [d for d in PYPROJECT["project"]["dependencies"] if d.startswith("torch")]
    assert re.findall(r"torch[<>=][^'\s]+", MAKEFILE) == [wanted]


def test_every_target_is_there_and_files_are_not_taken_for_targets():
    assert {"run", "test", "lint", "bench", "slow", "clean"} <= TARGETS
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert set(phony.split()) == TARGETS


def test_files_that_make_uses_are_there():
    named = re.findall(r"(?:installer|resources|tests)/[\w./-]+\.(?:sh|py|gwy)", MAKEFILE)
    assert "installer/linux_libraries.sh" in named
    for name in named:
        assert (ROOT / name).is_file(), name


@pytest.mark.skipif("make " not in README, reason="the README names no make targets yet")
def test_the_readme_names_targets_that_exist():
    named = set(re.findall(r"\bmake ([a-z]+)", "\n".join(_blocks("sh"))))
    assert {"run", "test"} <= named
    assert named <= TARGETS


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


COMMAND_LINES = [
    line for block in _blocks("sh") for line in block.replace("\\\n", " ").splitlines() if line.startswith("stmviewer ")
]


@pytest.mark.skipif(not COMMAND_LINES, reason="the README shows no command line yet")
@pytest.mark.parametrize("line", COMMAND_LINES)
def test_command_lines_of_the_readme_are_understood(line):
    from stmviewer.cli.main import COMMANDS, parser

    words = shlex.split(line, comments=True)[1:]
    if words[0] in COMMANDS:
        parser().parse_args(words)
    else:
        assert not any(word.startswith("-") for word in words)  # the window takes files and folders alone


@pytest.mark.skipif(not (ROOT / "resources" / "pictures").is_dir(), reason="no pictures have been taken yet")
def test_pictures_of_the_readme_are_there():
    for name in re.findall(r"\]\((resources/[^)]+)\)", README):
        assert (ROOT / name).is_file(), name


@needs_sh
def test_ci_runs_the_tests_and_finds_real_data():
    script = ROOT / ".ci" / "run"
    text = script.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert re.search(r"^make test$", text, re.MULTILINE)
    assert "STMVIEWER_REAL_DATA" in text
    if os.name == "posix":
        assert os.access(script, os.X_OK)
    if shutil.which("bash"):
        subprocess.run(["bash", "-n", script], check=True)


def test_nothing_of_a_machine_is_in_the_project():
    """No absolute folder of somebody's computer in what is shipped."""
    for folder in ("stmviewer", "installer", "models", ".ci"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".sh", ".md", ".json", ".txt", "") and path.is_file():
                text = path.read_text(encoding="utf-8", errors="replace")
                assert not re.search(r"(?<![\w.])/(home|root|Users|work)/", text), path


# make and the shell script, with stand-ins for what they call


Stub = Callable[[str, str], None]


@pytest.fixture
def stub(tmp_path) -> Stub:
    """Makes a command of that name and shell text in `tmp_path/bin`."""
    (tmp_path / "bin").mkdir()

    def stub_(name: str, text: str) -> None:
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    return stub_


def libraries(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [shutil.which("sh") or "sh", ROOT / "installer" / "linux_libraries.sh"],
        env={"PATH": str(tmp_path / "bin"), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


ALL_LIBRARIES = ["EGL.so.1", "GL.so.1", "xkbcommon.so.0", "fontconfig.so.1", "glib-2.0.so.0", "dbus-1.so.3"]


@needs_sh
class TestLinuxLibraries:
    def test_it_is_shell(self):
        subprocess.run(["sh", "-n", ROOT / "installer" / "linux_libraries.sh"], check=True)

    def test_other_systems_need_none(self, stub, tmp_path):
        stub("uname", "echo Darwin")
        done = libraries(tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_nothing_is_said_when_nothing_is_missing(self, stub, tmp_path):
        stub("uname", "echo Linux")
        stub("ldconfig", "echo '" + " ".join(f"lib{name} =>" for name in ALL_LIBRARIES) + "'")
        done = libraries(tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_a_user_gets_the_exact_command(self, stub, tmp_path):
        stub("uname", "echo Linux")
        stub("ldconfig", "echo 'libGL.so.1 => libdbus-1.so.3 => libfontconfig.so.1 => libglib-2.0.so.0 =>'")
        stub("id", "echo 1000")
        stub("apt-get", "echo called")
        done = libraries(tmp_path)
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.splitlines()[-1] == "  sudo apt-get install libegl1 libxkbcommon0"

    def test_a_display_needs_more(self, stub, tmp_path):
        stub("uname", "echo Linux")
        stub("ldconfig", "echo '" + " ".join(f"lib{name} =>" for name in ALL_LIBRARIES) + "'")
        stub("id", "echo 1000")
        done = libraries(tmp_path, DISPLAY=":0")
        assert done.returncode == 1
        assert "libxcb-cursor0" in done.stderr

    def test_root_installs(self, stub, tmp_path):
        stub("uname", "echo Linux")
        stub("ldconfig", "echo '" + " ".join(f"lib{name} =>" for name in ALL_LIBRARIES[1:]) + "'")
        stub("id", "echo 0")
        stub("apt-get", f'echo "$@" >> {tmp_path / "calls"}')
        done = libraries(tmp_path)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "calls").read_text().splitlines() == ["update -qq", "install -y -qq libegl1"]

    def test_root_is_told_when_installing_fails(self, stub, tmp_path):
        stub("uname", "echo Linux")
        stub("ldconfig", "true")
        stub("id", "echo 0")
        stub("apt-get", "exit 100")
        done = libraries(tmp_path)
        assert done.returncode == 1
        assert "Install by hand:  apt-get install libegl1" in done.stderr

    def test_a_system_that_cannot_be_asked_is_left_alone(self, stub, tmp_path):
        """Without glibc's ldconfig nothing is known to be missing."""
        stub("uname", "echo Linux")
        stub("ldconfig", "exit 1")
        done = libraries(tmp_path)
        assert (done.returncode, done.stderr) == (0, "")


@needs_make
@needs_sh
class TestMake:
    @pytest.fixture
    def made(self, tmp_path) -> Path:
        """An environment that is set up, with a `stmviewer` that says what it was asked."""
        environment = tmp_path / "venv"
        (environment / "bin").mkdir(parents=True)
        for name, text in (("stmviewer", 'echo "asked: $@"'), ("python", "exit 1")):
            (environment / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
            (environment / "bin" / name).chmod(0o755)
        for name in ("installed", "installed-test"):
            (environment / name).touch()
        return environment

    def make(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        gone = ("DISPLAY", "WAYLAND_DISPLAY", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
        environment = {k: v for k, v in os.environ.items() if k not in gone} | variables
        return subprocess.run(["make", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def test_run_without_a_display_restores_the_sample_and_says_so(self, made):
        done = self.make("run", f"VENV={made}")
        assert done.returncode == 0, done.stderr
        assert "There is no display" in done.stdout
        asked = done.stdout.splitlines()[-1]
        assert asked == "asked: restore resources/samples/si001h-double-tip.gwy --task repair --format png -o out"

    @pytest.mark.parametrize("variable", ["DISPLAY", "WAYLAND_DISPLAY"])
    def test_run_with_a_display_opens_the_window_on_the_sample(self, made, stub, tmp_path, variable):
        stub("ldconfig", "exit 1")  # no library is asked for
        path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
        done = self.make("run", f"VENV={made}", **{variable: ":7", "PATH": path})
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == "asked: resources/samples/si001h-double-tip.gwy"

    def test_a_failed_environment_is_made_again_the_next_time(self, tmp_path):
        """Debian without python3-venv leaves half an environment behind."""
        python = tmp_path / "python"
        python.write_text(
            f'#!/bin/sh\n[ "$1" = -c ] && exit 0\nmkdir -p {tmp_path}/venv/bin\n'
            f"ln -sf {sys.executable} {tmp_path}/venv/bin/python\nexit 1\n"
        )
        python.chmod(0o755)
        for _ in range(2):
            done = self.make("run", f"VENV={tmp_path / 'venv'}", f"PYTHON={python}")
            assert done.returncode != 0
            assert "-m venv" in done.stdout
            assert "pip" not in done.stdout

    def test_an_old_python_is_refused(self, tmp_path):
        python = tmp_path / "python"
        python.write_text('#!/bin/sh\n[ "$1" = -c ] && { echo "stmviewer needs Python 3.11 or later" >&2; exit 1; }\n')
        python.chmod(0o755)
        done = self.make("run", f"VENV={tmp_path / 'venv'}", f"PYTHON={python}")
        assert done.returncode != 0
        assert "3.11 or later" in done.stderr

    @pytest.mark.parametrize(
        ("words", "torch"),
        [([], []), (["TORCH_INDEX=https://example.org/cpu"], ["--index-url", "https://example.org/cpu"])],
        ids=["plain", "CPU build"],
    )
    def test_what_is_installed_and_the_cpu_build_of_torch_first_when_asked_for(self, made, words, torch):
        for name in ("installed", "installed-test"):
            (made / name).unlink()
        (made / "bin" / "python").write_text('#!/bin/sh\nfor word; do echo "$word"; done\necho end\n')
        done = self.make("-s", "test", f"VENV={made}", *words)
        assert done.returncode == 0, done.stderr
        asked = [block.split("\n") for block in done.stdout.strip().removesuffix("\nend").split("\nend\n")]
        (wanted,) = [d for d in PYPROJECT["project"]["dependencies"] if d.startswith("torch")]
        pip = ["-m", "pip", "install", "-q"]
        assert asked == [
            *([[*pip, wanted, *torch]] if torch else []),
            [*pip, "-e", "."],
            [*pip, "-e", ".[test]"],
            ["-m", "pytest", "--numprocesses=2", "--dist=loadfile"],
        ]


# a wheel, installed


@pytest.mark.slow
def test_a_wheel_works_outside_the_source_tree(tmp_path):
    """Built, installed into a fresh environment, run from elsewhere: the parts, the models and the sample are found.

    The dependencies are those of this environment: a fresh torch would be gigabytes.
    """
    isolation = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    wheels = tmp_path / "wheels"
    pip = [sys.executable, "-m", "pip"]
    built = _run([*pip, "wheel", "-q", "--no-deps", *isolation, "-w", str(wheels), str(ROOT)], tmp_path)
    if built.returncode and not isolation and re.search("hatchling|connection", built.stderr, re.IGNORECASE):
        pytest.skip("hatchling is not installed and cannot be fetched")
    assert built.returncode == 0, built.stderr
    (wheel,) = wheels.glob("stmviewer-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for part in ("stmviewer/py.typed", "stmviewer/_data/resources/samples/si001h-double-tip.gwy"):
        assert part in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests", "installer")) or "__pycache__" in name]
    shipped = {path.name for path in (ROOT / "models").iterdir()}
    assert {f"stmviewer/_data/models/{name}" for name in shipped} <= set(names)

    environment = tmp_path / "venv"
    _run([sys.executable, "-m", "venv", "--without-pip", str(environment)], tmp_path).check_returncode()
    binaries = environment / ("Scripts" if os.name == "nt" else "bin")
    python = binaries / "python"
    installed = _run([*pip, "--python", str(python), "install", "-q", "--no-deps", "--no-index", str(wheel)], tmp_path)
    assert installed.returncode == 0, installed.stderr
    site = _run([str(python), "-c", "import site; print(site.getsitepackages()[0])"], tmp_path).stdout.strip()
    ours = {str(Path(importlib.util.find_spec(name).origin).parents[1]) for name in ("numpy", "torch")}  # type: ignore
    (Path(site) / "dependencies.pth").write_text("\n".join(ours) + "\n")

    where = _run([str(python), "-c", "import stmviewer; print(stmviewer.__file__)"], tmp_path).stdout
    assert where.startswith(str(environment))
    models = _run([str(binaries / "stmviewer"), "models"], tmp_path)
    assert models.returncode == 0, models.stderr
    assert "linear" in models.stdout
    for name in shipped:
        if name.endswith(".safetensors"):
            assert name.removesuffix(".safetensors") in models.stdout
    _put_model(tmp_path / "models")
    smoke = _run(
        [str(binaries / "stmviewer"), "smoke-test", "--no-window"], tmp_path, STMVIEWER_MODELS=str(tmp_path / "models")
    )
    assert smoke.returncode == 0, smoke.stdout + smoke.stderr
    assert "si001h-double-tip.gwy" in smoke.stdout


def _run(command: list[str], cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")} | variables
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def _put_model(folder: Path) -> None:
    """A tiny model: the smoke test wants one, and this version may ship none yet."""
    from stmviewer.restore import ModelInfo, library
    from stmviewer.restore.networks import UNetConfig
    from stmviewer.restore.starting import build
    from stmviewer.restore.weights import save_weights

    save_weights(build("regression", UNetConfig(channels=(8, 16, 16))), folder / "regression-tiny.safetensors")
    info = ModelInfo("regression-tiny", "regression", "tiny", "tiny", ("repair", "sparse"), learned=True)
    library.register(info, folder)
