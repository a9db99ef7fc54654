"""Where the user's own things are in a frozen application, portable or not, and how it starts itself once more."""

import os
import sys
from pathlib import Path

import pytest

from stmviewer import paths


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """As inside of a frozen application in `tmp_path/app`; returns that folder."""
    folder = tmp_path / "app"
    (folder / "_internal").mkdir(parents=True)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", str(folder / "_internal"), raising=False)
    monkeypatch.setattr(sys, "executable", str(folder / "stmviewer"))
    monkeypatch.delenv("STMVIEWER_MODELS", raising=False)
    return folder


OWN = (paths.user_data, paths.user_models, paths.settings, paths.logs, paths.cache)


def test_from_python_nothing_is_portable(tmp_path):
    assert not paths.frozen()
    assert paths.portable() is None
    assert paths.licences() is None
    assert paths.command() == [sys.executable, "-m", "stmviewer"]


def test_an_installed_application_uses_the_system_s_places(frozen):
    assert paths.frozen()
    assert paths.portable() is None
    for place in OWN:
        assert frozen not in place().parents
        assert "stmviewer" in place().parts


def test_a_file_beside_the_executable_makes_it_portable(frozen):
    (frozen / paths.PORTABLE_MARK).touch()
    places = [place() for place in OWN]
    assert all(place.is_relative_to(frozen / "stmviewer-data") for place in places)
    assert len(set(places)) == len(places)
    assert not (frozen / "stmviewer-data").exists()  # asking makes none


def test_models_can_still_be_elsewhere(frozen, monkeypatch, tmp_path):
    (frozen / paths.PORTABLE_MARK).touch()
    monkeypatch.setenv("STMVIEWER_MODELS", str(tmp_path / "models"))
    assert paths.user_models() == tmp_path / "models"


def test_a_portable_copy_that_cannot_be_written_forgets_nothing(frozen, monkeypatch):
    """On a disk that can only be read, settings go where they can be written."""
    (frozen / paths.PORTABLE_MARK).touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert paths.portable() is None
    assert frozen not in paths.settings().parents


def test_on_macos_the_file_lies_beside_the_app(frozen, monkeypatch):
    inside = frozen / "stmviewer.app" / "Contents" / "MacOS"
    inside.mkdir(parents=True)
    monkeypatch.setattr(sys, "executable", str(inside / "stmviewer"))
    (inside / paths.PORTABLE_MARK).touch()
    assert paths.portable() is None
    (frozen / paths.PORTABLE_MARK).touch()
    assert paths.portable() == frozen / "stmviewer-data"


def test_children_are_the_same_executable_and_on_windows_the_one_with_a_console(frozen):
    assert paths.command() == [str(frozen / "stmviewer")]
    (frozen / "stmviewer-cli.exe").touch()
    assert paths.command() == [str(frozen / "stmviewer-cli.exe")]


def test_the_licences_of_the_build_are_found(frozen):
    assert paths.licences() is None
    (frozen / "_internal" / "licences").mkdir()
    (frozen / "_internal" / "licences" / "THIRD_PARTY_LICENSES.txt").write_text("all of them")
    text = paths.licences()
    assert text is not None
    assert text.read_text() == "all of them"


def test_matplotlib_keeps_its_fonts_between_two_starts_of_a_frozen_application(frozen, monkeypatch):
    from stmviewer import __main__

    monkeypatch.setenv("MPLCONFIGDIR", "/a/fresh/folder/of/pyinstaller")
    __main__._settle()
    assert os.environ["MPLCONFIGDIR"] == str(paths.cache() / "matplotlib")
    monkeypatch.setattr(sys, "frozen", False)
    monkeypatch.setenv("MPLCONFIGDIR", "/my/own")
    __main__._settle()
    assert os.environ["MPLCONFIGDIR"] == "/my/own"
