import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from stmviewer.services.jobs import JobRunner
from stmviewer.services.watch import FolderWatch, watch_job


def save(path: Path, seed: int = 0, mtime: float | None = None) -> Path:
    np.save(path, np.random.default_rng(seed).normal(size=(16, 16)))
    if mtime is not None:
        os.utime(path, (mtime, mtime))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "live"
    made.mkdir()
    save(made / "old.npy")
    return made


def test_only_what_comes_later_is_news_and_only_once(folder: Path) -> None:
    watch = FolderWatch(folder)
    first = watch.poll()
    assert (first.there, first.finished, first.growing) == (True, (), ())
    assert first.files == (folder / "old.npy",)
    assert watch.poll().finished == ()
    new = save(folder / "new.npy")
    (folder / "notes.docx").write_bytes(b"no scan")
    seen = watch.poll()
    assert (seen.finished, seen.growing) == ((), (new,))  # it may still be written
    assert watch.poll().finished == (new,)
    assert watch.poll().finished == ()


def test_a_file_that_grows_is_told_when_it_stands_still_and_again_when_it_changes(folder: Path) -> None:
    watch = FolderWatch(folder)
    watch.poll()
    whole = save(folder / "old.npy", seed=1).read_bytes()
    path = folder / "grows.npy"
    told = []
    for part in (200, 900, 1500):
        path.write_bytes(whole[:part])
        os.utime(path, (part, part))
        look = watch.poll()
        assert path in look.growing
        told += look.finished
    assert told == [folder / "old.npy"]  # it has changed, too, and stands still
    assert path in watch.poll().growing  # stands still, but is not whole
    path.write_bytes(whole)
    assert path in watch.poll().growing
    assert watch.poll().finished == (path,)
    save(path, seed=2, mtime=5000)
    watch.poll()
    assert watch.poll().finished == (path,)


def test_a_broken_file_is_left_alone_after_a_while(folder: Path) -> None:
    watch = FolderWatch(folder)
    watch.poll()
    (folder / "broken.npy").write_bytes(b"rubbish")
    looks = [watch.poll() for _ in range(12)]
    assert all(look.finished == () for look in looks)
    assert looks[1].growing and not looks[-1].growing


def test_the_oldest_comes_first(folder: Path) -> None:
    watch = FolderWatch(folder)
    watch.poll()
    later, earlier = save(folder / "a.npy", mtime=2000), save(folder / "b.npy", mtime=1000)
    watch.poll()
    assert watch.poll().finished == (earlier, later)


def test_a_folder_that_vanishes_and_comes_back_brings_no_old_news(folder: Path, tmp_path: Path) -> None:
    watch = FolderWatch(folder)
    watch.poll()
    folder.rename(tmp_path / "gone")
    lost = watch.poll()
    assert not lost.there and "cannot be looked at" in lost.fault and str(folder) in lost.fault
    shutil.move(tmp_path / "gone", folder)
    back = watch.poll()
    assert back.there and back.finished == () == back.growing
    runner = JobRunner("watch")
    runner.submit("Watch", watch_job(watch))
    assert [e.result.there for _, e in runner.wait() if hasattr(e, "result")] == [True]
    runner.close()


def test_a_folder_that_is_empty_or_not_there_yet_can_be_watched(tmp_path: Path) -> None:
    watch = FolderWatch(tmp_path / "later")
    assert not watch.poll().there
    (tmp_path / "later").mkdir()
    assert watch.poll().files == ()
    save(tmp_path / "later" / "first.npy")
    watch.poll()
    assert watch.poll().finished == (tmp_path / "later" / "first.npy",)
