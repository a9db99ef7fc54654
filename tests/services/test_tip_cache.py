import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stmviewer.evaluate.tip_state import SecondEnd
from stmviewer.files import open_scan
from stmviewer.scan import RequestError
from stmviewer.services import judging
from stmviewer.services.jobs import Context, Progress
from stmviewer.services.judging import file_tip_job, tip_state_job
from stmviewer.services.tip_cache import TipCache, TipState

STATE = TipState({"good": 0.1, "double": 0.1, "change": 0.75, "blurry": 0.05}, 17, True)
CONTEXT = Context(Progress(), lambda _: None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scan.npy"
    np.save(path, np.random.default_rng(0).normal(size=(80, 80)))
    return path


def test_what_was_said_is_kept_on_disk_until_the_file_changes(file: Path, tmp_path: Path) -> None:
    cache = TipCache(tmp_path / "cache")
    key = cache.key(file, "Z forward raw")
    assert cache.find(key) is None
    cache.keep(key, STATE)
    cache.keep("other", "too small")
    again = TipCache(tmp_path / "cache")
    assert again.find(key) == STATE and again.find("other") == "too small"
    assert again.key(file, "Z backward raw") != key
    double = replace(STATE, second=SecondEnd(1e-9, -2e-9, True))
    cache.keep("double", double)
    assert TipCache(tmp_path / "cache").find("double") == double
    os.utime(file, (1, 1))
    assert again.key(file, "Z forward raw") != key


def test_a_damaged_cache_costs_nothing_but_judgements(file: Path, tmp_path: Path) -> None:
    (tmp_path / "tips.sqlite").write_bytes(b"rubbish" * 500)
    cache = TipCache(tmp_path)
    assert cache.find("key") is None
    cache.keep("key", STATE)
    assert cache.find("key") == STATE  # in memory
    (tmp_path / "tips.sqlite").unlink()
    cache.keep("key", STATE)
    with sqlite3.connect(tmp_path / "tips.sqlite") as connection:
        connection.execute("UPDATE tips SET said = '{}'")
    connection.close()
    assert TipCache(tmp_path).find("key") is None
    assert TipCache(None).find("key") is None


def test_a_file_is_judged_once(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def judge(scan, channel=None):  # type: ignore[no-untyped-def]
        asked.append(channel.label)
        return STATE

    monkeypatch.setattr(judging, "tip_state", judge)
    cache = TipCache(tmp_path / "cache")
    assert file_tip_job(file, None, None, cache)(CONTEXT) == (file, STATE)
    assert file_tip_job(file, "no such channel", "backward", cache)(CONTEXT) == (file, STATE)  # the topography
    scan = open_scan(file)
    assert tip_state_job(scan, scan.channel(), cache)(CONTEXT) == STATE
    assert asked == ["Height forward"]


def test_what_cannot_be_judged_is_remembered_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "small.npy"
    np.save(path, np.random.default_rng(0).normal(size=(20, 20)))
    cache = TipCache(tmp_path / "cache")
    judged = file_tip_job(path, None, None, cache)(CONTEXT)[1]
    assert "whole lines of 64 pixels are the least" in judged
    scan = open_scan(path)
    with pytest.raises(RequestError, match="64 whole lines"):
        tip_state_job(scan, scan.channel(), TipCache(tmp_path / "cache"))(CONTEXT)
    gone = tmp_path / "gone.npy"
    assert "there is no such file" in file_tip_job(gone, None, None, cache)(CONTEXT)[1]
