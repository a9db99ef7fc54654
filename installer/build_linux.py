"""Builds the Linux bundle, tries it, and packs it: `python installer/build_linux.py [--work DIR] [--out DIR]`.

Makes stmviewer_VERSION_ARCH.deb, stmviewer-VERSION-linux-ARCH.tar.gz (with install.sh), SHA256SUMS and reports of the
smoke test in OUT. Needs the packages of `pip install -e .[package]`, dpkg-deb for the .deb, and Xvfb for the smoke test
on a screen. `--reuse` packs the bundle that is there.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import bundle
import icons

LINUX = Path(__file__).resolve().parent / "linux"
#: what Qt's window plugin needs and many desktops lack: bundled from the building machine, which must have it
NEEDED_TO_BUILD = ("libxcb-cursor.so.0", "libxcb-icccm.so.4", "libxcb-keysyms.so.1", "libxkbcommon-x11.so.0")
_DEB_ARCH = {"x86_64": "amd64", "aarch64": "arm64"}

README = """stmviewer {version}

  sh install.sh                 installs for you, without root: in the menu, and as the program for .sxm, .3ds and .gwy
  sh install.sh --portable DIR  makes a copy that keeps models and settings beside itself: memory sticks
  sh uninstall.sh               is in the installed folder, ~/.local/lib/stmviewer

Needs Linux with glibc 2.35 or later (Debian 12, Ubuntu 22.04, Fedora 36, ...) and the libraries of any desktop.
Nothing is sent anywhere; no network is needed.
"""

CONTROL = """Package: stmviewer
Version: {version}
Architecture: {arch}
Maintainer: The stmviewer authors <stmviewer@example.org>
Installed-Size: {kib}
Depends: {depends}
Recommends: desktop-file-utils, hicolor-icon-theme, shared-mime-info
Section: science
Priority: optional
Description: restores scanning tunnelling microscope images
 Repairs what a bad tip did to a scan (double tip, tip change, streaks), and
 rebuilds a full image from a scan that measured a half or a quarter of its
 lines. Opens Nanonis, Gwyddion, Omicron Matrix, RHK and Createc files.
 .
 Everything is in one folder, /opt/stmviewer. No network is needed.
"""

COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: stmviewer

Files: *
Copyright: the stmviewer authors, and those of the bundled libraries
License: Expat-and-others
 stmviewer is under the MIT licence, as below. The bundled libraries and their licences are listed in
 /opt/stmviewer/_internal/licences/THIRD_PARTY_LICENSES.txt.
 .
{licence}
"""


class BuildError(Exception):
    """What stops the build, with what to do."""


def build(work: Path) -> Path:
    """Runs PyInstaller; returns the folder with the application."""
    lacking = [name for name in NEEDED_TO_BUILD if not _known_to_the_loader(name)]
    if lacking:
        raise BuildError(
            f"{', '.join(lacking)} would be missing in the bundle; on Debian: apt-get install libxcb-cursor0 "
            "libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xkb1 "
            "libxkbcommon-x11-0"
        )
    command = [sys.executable, "-m", "PyInstaller", "-y", "--log-level", "WARN"]
    command += ["--distpath", str(work / "dist"), "--workpath", str(work / "work")]
    subprocess.run([*command, str(bundle.ROOT / "installer" / "stmviewer.spec")], check=True)
    return work / "dist" / "stmviewer"


def _known_to_the_loader(name: str) -> bool:
    import ctypes

    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """As on a computer without this source tree, for a user without settings."""
    kept = {k: os.environ[k] for k in ("PATH", "LANG", "LC_ALL", "TMPDIR") if k in os.environ}
    return {**kept, "HOME": str(home), "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2"), **more}


def smoke(program: Path, out: Path, *, screen: bool) -> Path:
    """Runs the smoke test of the frozen application, on a virtual screen or without one; returns its report."""
    home = out / "smoke-home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    words = [str(program), "smoke-test"]
    if screen:
        if shutil.which("xvfb-run") is None:
            raise BuildError("xvfb-run is missing; on Debian: apt-get install xvfb xauth (or give --no-screen)")
        words = ["xvfb-run", "-a", *words]
        words += [word for check in ("models", "classical", "report", "training") for word in ("--skip", check)]
    done = subprocess.run(words, env=clean_environment(home), capture_output=True, text=True, cwd=home, check=False)
    report = out / f"smoke-{'screen' if screen else 'offscreen'}.json"
    report.write_text(done.stdout, encoding="utf-8")
    checks = _checks(done.stdout)
    if done.returncode != 0:
        bad = [f"{name}: {check['detail']}" for name, check in checks.items() if not check["ok"]]
        raise BuildError(f"the smoke test failed: {'; '.join(bad) or done.stderr[-1500:]} (see {report})")
    print(
        f"smoke test {'on a screen' if screen else 'off screen'}: {len(checks)} checks ok, {checks['window']['detail']}"
    )
    shutil.rmtree(home)
    return report


def _checks(text: str) -> dict[str, dict[str, object]]:
    try:
        return dict(json.loads(text)["checks"])
    except (ValueError, KeyError):
        return {}


def pack_deb(application: Path, work: Path, out: Path) -> Path:
    """The .deb, from a tree in `work` that is hard links to the application where it can be."""
    arch = _DEB_ARCH.get(platform.machine())
    if arch is None:
        raise BuildError(f"no .deb is made for {platform.machine()}")
    root = work / "deb"
    shutil.rmtree(root, ignore_errors=True)
    place(application, root / "opt" / "stmviewer")
    share = root / "usr" / "share"
    _copy(LINUX / "stmviewer.desktop", share / "applications" / "stmviewer.desktop")
    _copy(LINUX / "stmviewer-mime.xml", share / "mime" / "packages" / "stmviewer.xml")
    for size, picture in _pictures(work).items():
        _copy(picture, share / "icons" / "hicolor" / f"{size}x{size}" / "apps" / "stmviewer.png")
    _copy(icons.ICONS / "stmviewer.svg", share / "icons" / "hicolor" / "scalable" / "apps" / "stmviewer.svg")
    copyright_file = share / "doc" / "stmviewer" / "copyright"
    copyright_file.parent.mkdir(parents=True)
    copyright_file.write_text(copyright_text(), encoding="utf-8")
    (root / "usr" / "bin").mkdir(parents=True)
    (root / "usr" / "bin" / "stmviewer").symlink_to("../../opt/stmviewer/stmviewer")
    (root / "DEBIAN").mkdir()
    kib = sum(p.lstat().st_size for p in root.rglob("*") if not p.is_dir()) // 1024
    (root / "DEBIAN" / "control").write_text(control(arch, kib), encoding="utf-8")
    _open_to_all(root)
    made = out / f"stmviewer_{bundle.version()}_{arch}.deb"
    made.unlink(missing_ok=True)
    # zstd: every system with the glibc that is asked for knows it, and it unpacks several times faster than xz
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zzstd", "-z12", "--build", str(root), str(made)], check=True)
    shutil.rmtree(root)
    return made


def control(arch: str, kib: int) -> str:
    """The control file of the .deb."""
    depends = ", ".join(bundle.DEBIAN_PACKAGES)
    return CONTROL.format(version=bundle.version(), arch=arch, kib=kib, depends=depends)


def copyright_text() -> str:
    licence = (bundle.ROOT / "LICENSE").read_text(encoding="utf-8").strip()
    return COPYRIGHT.format(licence="\n".join(f" {line}" if line else " ." for line in licence.splitlines()))


def pack_tar(application: Path, work: Path, out: Path) -> Path:
    """The .tar.gz with install.sh."""
    name = f"stmviewer-{bundle.version()}-linux-{platform.machine()}"
    root = work / "tar" / name
    shutil.rmtree(root.parent, ignore_errors=True)
    place(application, root / "application")
    for script in ("install.sh", "uninstall.sh"):
        _copy(LINUX / script, root / script)
        (root / script).chmod(0o755)
    for file in ("stmviewer.desktop", "stmviewer-mime.xml"):
        _copy(LINUX / file, root / "share" / file)
    for picture in (*_pictures(work).values(), icons.ICONS / "stmviewer.svg"):
        _copy(picture, root / "share" / "icons" / picture.name)
    (root / "README.txt").write_text(README.format(version=bundle.version()), encoding="utf-8")
    _open_to_all(root)
    made = out / f"{name}.tar.gz"
    words = ["tar", "-C", str(root.parent), "--owner=0", "--group=0", "--numeric-owner", "-czf", str(made), name]
    subprocess.run(words, check=True)
    shutil.rmtree(root.parent)
    return made


def place(application: Path, target: Path) -> None:
    """The application at `target`, as hard links: it is a gigabyte."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-al", str(application), str(target)], check=True)


def _pictures(work: Path) -> dict[int, Path]:
    folder = work / "icons"
    icons.make(folder)
    return {size: folder / f"stmviewer-{size}.png" for size in icons.SIZES}


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _open_to_all(root: Path) -> None:
    """Whatever the umask of the builder was: everybody may read, nobody but root write."""
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def checksums(files: Sequence[Path], out: Path) -> Path:
    lines = []
    for file in files:
        with file.open("rb") as stream:
            lines.append(f"{hashlib.file_digest(stream, 'sha256').hexdigest()}  {file.name}\n")
    (out / "SHA256SUMS").write_text("".join(lines), encoding="ascii")
    return out / "SHA256SUMS"


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Builds, tries and packs the Linux application.")
    parser.add_argument("--work", type=Path, default=bundle.ROOT / "build", help="folder for what is made on the way")
    parser.add_argument("--out", type=Path, default=bundle.ROOT / "dist", help="folder for the packages")
    parser.add_argument("--reuse", action="store_true", help="pack the bundle that is in the work folder")
    parser.add_argument("--no-screen", action="store_true", help="leave out the smoke test on a virtual screen")
    parser.add_argument("--no-packages", action="store_true", help="build and try only")
    chosen = parser.parse_args(words)
    work, out = chosen.work.resolve(), chosen.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    try:
        application = work / "dist" / "stmviewer" if chosen.reuse else build(work)
        smoke(application / "stmviewer", out, screen=False)
        if not chosen.no_screen:
            smoke(application / "stmviewer", out, screen=True)
        if not chosen.no_packages:
            made = [pack_tar(application, work, out)]
            if shutil.which("dpkg-deb"):
                made.append(pack_deb(application, work, out))
            for file in (*made, checksums(made, out)):
                print(f"{file}  {file.stat().st_size / 1e6:.1f} MB")
    except (BuildError, subprocess.CalledProcessError) as error:
        print(f"build_linux: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
