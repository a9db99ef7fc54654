"""THIRD_PARTY_LICENSES names what is in the bundle, with versions and texts."""

from importlib import metadata
from pathlib import Path

import licences
import pytest


def entries(*modules: str) -> list[tuple[str, str]]:
    return [(f"{module}/__init__.py", f"/site-packages/{module}/__init__.py") for module in modules]


def test_every_package_is_listed_with_version_licence_and_text():
    text = licences.notice(
        entries("numpy", "safetensors"), [("platformdirs.unix", "x", "PYMODULE"), ("os", "x", "PYMODULE")]
    )
    for name in ("numpy", "safetensors", "platformdirs"):
        assert f"\n{name} {metadata.version(name)}" in text
    head = text.partition("=" * 100 + "\nPython")[0]
    assert "scipy" not in head  # it is not in this bundle
    assert "Redistribution and use in source and binary forms" in text  # the text of NumPy's
    assert "pyinstaller" in text.lower()
    assert "Lesser General Public License" in text


def test_our_own_package_is_no_third_party():
    text = licences.notice(entries("stmviewer", "numpy"), [])
    assert "\nstmviewer " not in text.partition("Licence:")[0].partition("\n\n\n")[2]


def test_a_module_of_the_standard_library_belongs_to_no_package():
    assert licences.distributions(["json", "os", "nonsense_that_is_not_there"]) == []


def test_licences_are_declared_in_one_of_three_ways():
    class Said(metadata.Distribution):
        def __init__(self, lines: str) -> None:
            self._lines = lines

        def read_text(self, filename: str) -> str | None:
            return f"Metadata-Version: 2.1\nName: x\nVersion: 1\n{self._lines}\n" if filename == "METADATA" else None

        def locate_file(self, path: object) -> Path:
            return Path(str(path))

    assert licences.licence_name(Said("License-Expression: MIT")) == "MIT"
    assert licences.licence_name(Said("License: BSD-3-Clause")) == "BSD-3-Clause"
    assert licences.licence_name(Said("Classifier: License :: OSI Approved :: MIT License")) == "MIT License"
    assert licences.licence_name(Said("Summary: x")) == "not declared"
    assert licences.licence_texts(Said("Summary: x")) == []


def test_every_runtime_dependency_declares_a_licence():
    for name in ("torch", "numpy", "scipy", "scikit-image", "PySide6-Essentials", "pyqtgraph", "h5py", "cmap"):
        assert licences.licence_name(metadata.distribution(name)) != "not declared", name


def test_system_libraries_are_traced_to_their_package():
    loader = Path("/lib64/ld-linux-x86-64.so.2")
    if not loader.exists() or not Path("/usr/bin/dpkg").exists():
        pytest.skip("this is no Debian")
    found = licences.system_packages([str(loader), "/usr/lib/libnothing.so"])
    assert found == {"libc6": ["ld-linux-x86-64.so.2"]}
