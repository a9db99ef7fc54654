"""Menu entry, file types, .deb and install.sh, with a stand-in for the application."""

import configparser
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import build_linux
import bundle
import measure
import pytest

LINUX = Path(__file__).resolve().parents[2] / "installer" / "linux"
MIME = "{http://www.freedesktop.org/standards/shared-mime-info}"
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the packages of Linux")


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


@pytest.fixture
def application(tmp_path):
    """A folder like the frozen application's, of two files."""
    folder = tmp_path / "work" / "dist" / "stmviewer"
    (folder / "_internal" / "models").mkdir(parents=True)
    (folder / "_internal" / "models" / "a.md").write_text("a card")
    (folder / "stmviewer").write_text('#!/bin/sh\necho "started: $0 $*"\n')
    (folder / "stmviewer").chmod(0o700)
    return folder


@pytest.fixture
def unpacked(application, tmp_path):
    """What the .tar.gz unpacks to."""
    made = build_linux.pack_tar(application, tmp_path / "work", tmp_path)
    subprocess.run(["tar", "-xzf", str(made), "-C", str(tmp_path)], check=True)
    return tmp_path / made.name.removesuffix(".tar.gz")


def sh(script: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    home.mkdir(exist_ok=True)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home)}
    return subprocess.run(["sh", script, *words], env=environment, capture_output=True, text=True, check=False)


# menu entry and file types


@needs("desktop-file-validate")
def test_the_menu_entry_is_valid():
    done = subprocess.run(
        ["desktop-file-validate", LINUX / "stmviewer.desktop"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_menu_entry_opens_many_files_at_once_and_types_that_are_defined():
    entry = configparser.RawConfigParser()
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(LINUX / "stmviewer.desktop")
    main = entry["Desktop Entry"]
    assert main["Exec"] == "stmviewer %F"
    types = {t for t in main["MimeType"].split(";") if t}
    defined = {kind.get("type") for kind in ElementTree.parse(LINUX / "stmviewer-mime.xml").getroot()}
    assert types == defined
    assert "--new-window" in entry["Desktop Action new-window"]["Exec"]


def test_file_types_are_those_of_sxm_3ds_and_gwy_and_not_of_every_dat():
    kinds = ElementTree.parse(LINUX / "stmviewer-mime.xml").getroot()
    globs = {g.get("pattern"): int(g.get("weight", "50")) for g in kinds.iter(f"{MIME}glob")}
    assert set(globs) == {"*.sxm", "*.3ds", "*.gwy"}
    assert globs["*.sxm"] > 50  # the desktop's own, an office type
    assert all(kind.find(f"{MIME}magic") is not None for kind in kinds)


@needs("update-mime-database")
def test_the_desktop_takes_the_file_types(tmp_path):
    (tmp_path / "packages").mkdir()
    shutil.copy(LINUX / "stmviewer-mime.xml", tmp_path / "packages" / "stmviewer.xml")
    subprocess.run(["update-mime-database", tmp_path], check=True, capture_output=True)
    assert "60:application/x-nanonis-sxm:*.sxm" in (tmp_path / "globs2").read_text().splitlines()
    assert b":NANONIS_VERSION:" in (tmp_path / "magic").read_bytes()


# .deb


@needs("dpkg-deb")
def test_the_deb_has_the_application_a_menu_entry_icons_and_types(application, tmp_path):
    made = build_linux.pack_deb(application, tmp_path / "work", tmp_path)
    listed = subprocess.run(["dpkg-deb", "-c", made], capture_output=True, text=True, check=True).stdout
    rows = {row.split()[5]: row.split() for row in listed.splitlines()}
    for name in (
        "./opt/stmviewer/stmviewer",
        "./usr/bin/stmviewer",
        "./usr/share/applications/stmviewer.desktop",
        "./usr/share/mime/packages/stmviewer.xml",
        "./usr/share/icons/hicolor/48x48/apps/stmviewer.png",
        "./usr/share/icons/hicolor/scalable/apps/stmviewer.svg",
        "./usr/share/doc/stmviewer/copyright",
    ):
        assert name in rows
    assert {row[1] for row in rows.values()} == {"root/root"}
    assert rows["./opt/stmviewer/stmviewer"][0] == "-rwxr-xr-x"  # although the builder's umask allowed nobody else
    assert rows["./opt/stmviewer/_internal/models/a.md"][0] == "-rw-r--r--"  # read only for all but root
    fields = subprocess.run(["dpkg-deb", "-f", made], capture_output=True, text=True, check=True).stdout
    assert f"Version: {bundle.version()}" in fields
    for library in ("libegl1", "libxcb1", "libfontconfig1", "libc6 (>= 2.35)"):
        assert library in fields
    assert not (tmp_path / "work" / "deb").exists()


def test_no_deb_is_made_for_an_unknown_machine(application, tmp_path, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "vax")
    with pytest.raises(build_linux.BuildError, match="vax"):
        build_linux.pack_deb(application, tmp_path / "work", tmp_path)


# install.sh


def test_installed_for_a_user_and_removed_without_a_trace(unpacked, tmp_path):
    home = tmp_path / "home of anna"
    done = sh(unpacked / "install.sh", home)
    assert done.returncode == 0, done.stderr
    local = home / ".local"
    started = subprocess.run([local / "bin" / "stmviewer", "x"], capture_output=True, text=True, check=True).stdout
    assert started.startswith("started:")
    (line,) = re.findall(r"^Exec=(.*) %F$", (local / "share/applications/stmviewer.desktop").read_text(), re.MULTILINE)
    assert line == f'"{local}/lib/stmviewer/stmviewer"'
    assert (local / "share/icons/hicolor/16x16/apps/stmviewer.png").is_file()
    assert (local / "share/mime/packages/stmviewer.xml").is_file()
    mine = local / "share" / "stmviewer" / "models" / "mine.safetensors"
    mine.parent.mkdir(parents=True)
    mine.write_text("weights")

    removed = sh(local / "lib" / "stmviewer" / "uninstall.sh", home)
    assert removed.returncode == 0, removed.stderr
    assert "models" in removed.stdout
    left = [p for p in home.rglob("*") if p.is_file() or p.is_symlink()]
    made_by_the_desktop = [p for p in left if "mime" in p.parts or p.name in ("mimeinfo.cache", "icon-theme.cache")]
    assert set(left) - set(made_by_the_desktop) == {mine}


def test_installing_over_an_older_version_leaves_nothing_of_it(unpacked, tmp_path):
    home = tmp_path / "home"
    sh(unpacked / "install.sh", home)
    old = home / ".local/lib/stmviewer/_internal/of-the-old-version.so"
    old.write_text("")
    assert sh(unpacked / "install.sh", home).returncode == 0
    assert not old.exists()
    assert (home / ".local/lib/stmviewer/stmviewer").is_file()
    assert not (home / ".local/lib/stmviewer.new").exists()


def test_a_portable_copy_keeps_its_data_through_an_update(unpacked, tmp_path):
    home, stick = tmp_path / "home", tmp_path / "a stick"
    assert sh(unpacked / "install.sh", home, "--portable", str(stick)).returncode == 0
    copy = stick / "stmviewer"
    assert (copy / "portable.txt").is_file()
    (copy / "stmviewer-data" / "models").mkdir(parents=True)
    (copy / "stmviewer-data" / "models" / "mine").write_text("weights")
    assert sh(unpacked / "install.sh", home, "--portable", str(stick)).returncode == 0
    assert (copy / "portable.txt").is_file()
    assert (copy / "stmviewer-data" / "models" / "mine").read_text() == "weights"
    assert not list(home.iterdir())  # nothing of it elsewhere
    refused = sh(copy / "uninstall.sh", home)
    assert refused.returncode == 2
    assert "deleting its folder" in refused.stderr
    assert (copy / "stmviewer").is_file()


def test_another_prefix_and_words_that_are_not_known(unpacked, tmp_path):
    home = tmp_path / "home"
    assert sh(unpacked / "install.sh", home, "--prefix", str(tmp_path / "p")).returncode == 0
    assert (tmp_path / "p" / "bin" / "stmviewer").exists()
    assert not list(home.iterdir())
    bad = sh(unpacked / "install.sh", home, "--nonsense")
    assert bad.returncode == 2
    assert "--nonsense" in bad.stderr
    assert "--portable DIR" in sh(unpacked / "install.sh", home, "--help").stdout


@pytest.mark.parametrize("name", ["linux/install.sh", "linux/uninstall.sh", "try_debian.sh"])
def test_scripts_are_shell(name):
    subprocess.run(["sh", "-n", LINUX.parent / name], check=True)


# the build around them


def test_a_smoke_test_that_fails_stops_the_build_and_names_the_check(tmp_path):
    program = tmp_path / "stmviewer"
    program.write_text('#!/bin/sh\necho \'{"checks": {"torch": {"ok": false, "detail": "no torch"}}}\'\nexit 1\n')
    program.chmod(0o755)
    with pytest.raises(build_linux.BuildError, match="torch: no torch"):
        build_linux.smoke(program, tmp_path, screen=False)
    program.write_text("#!/bin/sh\necho segmentation >&2\nexit 139\n")
    with pytest.raises(build_linux.BuildError, match="segmentation"):
        build_linux.smoke(program, tmp_path, screen=False)


def test_a_good_smoke_test_runs_as_a_user_without_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("STMVIEWER_MODELS", "/elsewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    program = tmp_path / "stmviewer"
    program.write_text(
        '#!/bin/sh\nenv > ../env.txt\necho \'{"checks": {"window": {"ok": true, "detail": "drawn"}}}\'\n'
    )
    program.chmod(0o755)
    report = build_linux.smoke(program, tmp_path, screen=False)
    assert "drawn" in report.read_text()
    seen = (tmp_path / "env.txt").read_text()
    assert "/elsewhere" not in seen
    assert f"HOME={tmp_path / 'smoke-home'}" in seen


def test_checksums_are_those_that_sha256sum_takes(tmp_path):
    (tmp_path / "a.deb").write_bytes(b"a")
    sums = build_linux.checksums([tmp_path / "a.deb"], tmp_path)
    assert sums.read_text().startswith("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a.deb")


def test_the_table_of_sizes_and_starts_is_put_between_its_marks(application):
    cold, warm = measure.Run(9.04, 3.0), measure.Run(1.26, 1.1)
    sizes = {"application folder": measure.folder_bytes(application) + 10**9}
    text = measure.table(sizes, [("`stmviewer info`", cold, warm)], "1.0", "Linux")
    assert "| application folder | 1000 MB |" in text
    assert "| `stmviewer info` | 9.0 s | 1.3 s | 1.1 s |" in text
    notes = (LINUX.parent / "RELEASE_NOTES.md").read_text(encoding="utf-8")
    once = measure.put(text, notes)
    assert text in once
    assert measure.put(text, once) == once
    with pytest.raises(ValueError, match="lack"):
        measure.put(text, "no marks")


def test_a_start_is_timed_with_its_files_out_of_memory(application, tmp_path):
    measure.forget(application)
    run = measure.timed([str(application / "stmviewer")], tmp_path)
    assert run.wall > 0
    with pytest.raises(subprocess.CalledProcessError):
        measure.timed(["false"], tmp_path)
