"""Writes THIRD_PARTY_LICENSES: of every library in the bundle its version, licence and the text of it.

Python packages bring their texts in their metadata. Libraries that came from the system (libxcb-cursor, libssl and so
on) have theirs under /usr/share/doc on Debian. A package whose text cannot be found is listed with what it declares.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

_TEXT_NAMES = re.compile(r"(^|/)(licen[cs]e|copying|copyright|notice|authors)[^/]*$", re.IGNORECASE)
_RULE = "=" * 100

_HEAD = """Third-party software in this copy of stmviewer
{rule}

stmviewer itself is under the MIT licence (LICENSE beside this file). It comes with the software listed below, each
under its own licence.

Qt and PySide6 are used under the GNU Lesser General Public License, version 3. They are unmodified, and lie as separate
libraries in the folder PySide6 beside this application's other files, where you may replace them by your own builds of
the same version. Their source is at https://download.qt.io/official_releases/QtForPython/ and
https://download.qt.io/official_releases/qt/ ; the text of the licence follows at the end.

The starter was made by PyInstaller, which is under the GNU General Public License, version 2 or later, with an
exception that allows its use in programs under any licence.

"""

#: Debian keeps these texts in every installation; the wheels of Qt bring only their names
_COMMON = Path("/usr/share/common-licenses")
_GNU_TEXTS = ("LGPL-3", "GPL-3")


def distributions(modules: Iterable[str]) -> list[metadata.Distribution]:
    """The distributions that the modules named `modules` belong to, by name."""
    by_module = metadata.packages_distributions()
    names = {name for module in {m.partition(".")[0] for m in modules} for name in by_module.get(module, ())}
    # PyInstaller is not in the bundle as a module, but its starter is
    found = {d.metadata["Name"].lower(): d for d in (metadata.distribution(n) for n in names)}
    found.pop("stmviewer", None)
    return [found[name] for name in sorted(found)]


def licence_name(distribution: metadata.Distribution) -> str:
    """What a distribution declares: its SPDX expression, else its licence field, else its classifiers."""
    said = distribution.metadata
    expression = said["License-Expression"]
    if expression:
        return str(expression)
    classes = [c.rpartition(" :: ")[2] for c in said.get_all("Classifier") or () if c.startswith("License ::")]
    short = (said["License"] or "").strip()
    if short and "\n" not in short and len(short) < 80 and short.upper() != "UNKNOWN":
        return short
    return ", ".join(classes) or (short.splitlines()[0] if short else "not declared")


def licence_texts(distribution: metadata.Distribution) -> list[tuple[str, str]]:
    """(name, text) of the licence files of a distribution."""
    found = []
    for file in distribution.files or ():
        place = str(file).replace("\\", "/")
        if _TEXT_NAMES.search(place) and not place.endswith((".py", ".pyc", ".so", ".html")):
            path = Path(str(distribution.locate_file(file)))
            if path.is_file():
                found.append((place.rpartition("/")[2], path.read_text(encoding="utf-8", errors="replace").strip()))
    return list(dict.fromkeys(found))


def system_packages(libraries: Iterable[str]) -> dict[str, list[str]]:
    """Debian package -> the files of it that are in the bundle; empty where there is no dpkg."""
    found: dict[str, list[str]] = {}
    for library in sorted(set(libraries)):
        # /usr/lib and /lib are one folder: dpkg knows a file under one of the names
        names = [library, library.removeprefix("/usr"), str(Path(library).resolve())]
        try:
            asked = subprocess.run(["dpkg", "-S", *names], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return {}
        package = asked.stdout.partition(":")[0].strip()
        if package:
            found.setdefault(package, []).append(Path(library).name)
    return found


def notice(entries: Sequence[tuple[str, str]], pure: Sequence[tuple[str, ...]]) -> str:
    """The whole text. `entries`: (place in the bundle, source); `pure`: (module, source, kind) of Python modules."""
    packages = distributions(_module(place) for place, _ in [*entries, *((p[0], p[1]) for p in pure)])
    packages += [d for d in map(_installed, ("pyinstaller",)) if d is not None]
    of_system = [source for _, source in entries if re.match(r"(/usr)?/lib", source) and ".so" in source]
    blocks = [_HEAD.format(rule=_RULE)]
    rows = [(d.metadata["Name"], d.version, licence_name(d)) for d in packages]
    width = max((len(name) for name, _, _ in rows), default=0)
    blocks.append("".join(f"{name:<{width}}  {version:<14}  {licence}\n" for name, version, licence in rows))
    blocks.append(_block(f"Python {sys.version.split()[0]}", "PSF-2.0", _python_text()))
    for d in packages:
        texts = licence_texts(d)
        body = "\n\n".join(f"--- {name} ---\n{text}" for name, text in texts)
        where = next((u.partition(",")[2].strip() for u in d.metadata.get_all("Project-URL") or ()), "")
        none = f"(the package brings no text; it is that of {licence_name(d)})"
        blocks.append(
            _block(
                f"{d.metadata['Name']} {d.version}  {d.metadata['Home-page'] or where}", licence_name(d), body or none
            )
        )
    for package, files in system_packages(of_system).items():
        text = Path("/usr/share/doc") / package / "copyright"
        body = text.read_text(encoding="utf-8", errors="replace") if text.is_file() else "(see the Debian package)"
        blocks.append(_block(f"{', '.join(files)} (Debian package {package})", "as stated below", body))
    for name in _GNU_TEXTS:
        if (_COMMON / name).is_file():
            blocks.append(_block(name, "the text", (_COMMON / name).read_text(encoding="utf-8")))
    return "\n".join(blocks)


def _module(place: str) -> str:
    return re.split(r"[./\\]", place, maxsplit=1)[0]


def _block(title: str, licence: str, text: str) -> str:
    return f"\n{_RULE}\n{title}\nLicence: {licence}\n{_RULE}\n\n{text.strip()}\n"


def _installed(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def _python_text() -> str:
    for path in (Path(sys.base_prefix) / "LICENSE.txt", Path("/usr/share/doc/python3/copyright")):
        if path.is_file():
            return path.read_text(encoding="utf-8", errors="replace")
    return "https://docs.python.org/3/license.html"
