"""Adapting: what is kept aside is never trained on, the gain is measured there, and bad scans get one clear line."""

from dataclasses import replace

import numpy as np
import pytest

from stmviewer import paths
from stmviewer.files.calibration import Calibration
from stmviewer.restore import library
from stmviewer.scan import Progress, RequestError
from stmviewer.train import adapt as adapt_module
from stmviewer.train import coverage as coverage_module
from stmviewer.train import makers as makers_module
from stmviewer.train.adapt import adapt, split, start_model, table
from stmviewer.train.work import Work

from .test_folder import lattice, save
from .test_run import put


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(makers_module, "VALIDATION_SAMPLES", 2)
    monkeypatch.setattr(coverage_module, "_IMAGES", 2)
    monkeypatch.setattr(adapt_module, "TASKS", ("lines:2",))


def files(folder, count, rows=112, columns=112):
    names = [folder / f"scan{k}.gwy" for k in range(count)]
    for k, name in enumerate(names):
        save(name, lattice(rows, columns, seed=k))
    return names


def test_of_many_scans_some_are_kept_aside_whole(tmp_path):
    parts = split(files(tmp_path, 6))
    assert len(parts.kept) == 1 and len(parts.training) == 5
    assert {s.path for s in parts.kept}.isdisjoint({s.path for s in parts.training})
    assert "1 scan of 6" in parts.how


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_scans_give_their_last_third(tmp_path, count):
    names = files(tmp_path, count, rows=120)
    parts = split(names)
    for top, end, name in zip(parts.training, parts.kept, names, strict=True):
        data = adapt_module.open_scan(name).channel().data
        assert np.array_equal(np.concatenate([top.channel().data, end.channel().data]), data)
        assert len(end.channel().data) == 40
    assert "last third" in parts.how


def test_adapting_trains_scores_and_tells_in_the_card(tmp_path):
    models = paths.user_models()
    models.mkdir(parents=True)
    put(models, "regression-start")
    made = adapt(
        files(tmp_path, 1, rows=128), "regression-mylab", models, lambda _: None, Progress(),
        start="regression-start", steps=2, device="cpu",
    )  # fmt: skip
    assert made.info.name in library.entries()
    (gain,) = made.gains
    assert all(-1 <= v <= 1 for v in (gain.linear, gain.start, gain.adapted))
    assert made.gain == pytest.approx(gain.adapted - gain.start)
    card = (models / "regression-mylab.md").read_text()
    assert table(made) in card
    assert "never trained on" in card
    assert "Started from: regression-start" in card


def test_an_image_without_a_size_gets_the_one_that_is_given(tmp_path):
    np.save(tmp_path / "a.npy", lattice(112, 112) * 1e9)
    assert not split([tmp_path / "a.npy"]).training[0].geometry.calibrated
    parts = split([tmp_path / "a.npy"], calibration=Calibration(pixel_nm=(0.1, 0.1), unit="nm"))
    for scan in (*parts.training, *parts.kept):
        assert scan.geometry.calibrated
        assert scan.geometry.pixel_width == pytest.approx(0.1e-9)
        assert scan.channel().unit == "m"


def test_a_model_that_does_not_repair_learns_no_repairs(tmp_path):
    models = paths.user_models()
    models.mkdir(parents=True)
    library.register(replace(put(models, "regression-start"), tasks=("sparse",)), models)
    made = adapt(
        files(tmp_path, 1, rows=128), "regression-mylab", models, lambda _: None, Progress(),
        start="regression-start", steps=1, device="cpu",
    )  # fmt: skip
    assert made.info.tasks == ("sparse",)


def test_a_loss_is_told():
    split_ = adapt_module.Split((), (), "x", ())
    info = library.model_infos()[1]
    made = adapt_module.Adapted(info, "old", (adapt_module.Gain("lines:2", 0.9, 0.8, 0.7),), split_)
    assert "do not use it" in table(made)
    better = adapt_module.Adapted(info, "old", (adapt_module.Gain("lines:2", 0.9, 0.7, 0.8),), split_)
    assert "not than linear" in table(better)


def test_what_cannot_be_adapted_to(tmp_path):
    save(tmp_path / "tiny.gwy", lattice(40, 200))
    save(tmp_path / "constant.gwy", np.ones((112, 112)))
    holes = lattice(112, 112)
    holes[3, 4] = np.nan
    save(tmp_path / "holes.gwy", holes)
    (tmp_path / "noise.gwy").write_bytes(b"GWYP nothing")
    for name, words in (
        ("tiny.gwy", "200 x 40 pixels are too few"),
        ("constant.gwy", "same value"),
        ("holes.gwy", "not measured"),
        ("noise.gwy", "noise.gwy"),
        ("missing.gwy", "missing.gwy"),
    ):
        with pytest.raises(RequestError, match="none of these scans can be adapted to") as caught:
            split([tmp_path / name])
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(RequestError, match="there is no scan"):
        split([])
    with pytest.raises(RequestError, match="41 scans are more than 40"):
        split([tmp_path / "tiny.gwy"] * 41)
    # one good scan among them is enough, and the others are named
    good = files(tmp_path, 1)
    assert len(split([*good, tmp_path / "tiny.gwy"]).left_out) == 1


@pytest.mark.parametrize("beside", [False, True])
def test_sessions_that_models_are_judged_by_are_left_out(tmp_path, beside):
    folder = tmp_path / "good"
    folder.mkdir()
    ((tmp_path if beside else folder) / "validation_sessions.txt").write_text("day2\n")
    names = [folder / f"{day}_{k}.gwy" for day in ("day1", "day2") for k in range(2)]
    for k, name in enumerate(names):
        save(name, lattice(112, 112, seed=k))
    parts = split(names)
    assert {s.path for s in (*parts.training, *parts.kept)} == set(names[:2])
    assert len(parts.left_out) == 2 and all("judged by" in reason for reason in parts.left_out)
    with pytest.raises(RequestError, match="judged by"):
        split(names[2:])


def test_an_adapting_that_was_stopped_says_what_can_be_done(tmp_path):
    models = paths.user_models()
    models.mkdir(parents=True)
    put(models, "regression-start")
    work = Work(models, "regression-mylab")
    work.folder.mkdir()
    work.state.write_bytes(b"what a stopped training leaves")
    with pytest.raises(RequestError, match="was stopped before, and cannot go on: delete") as caught:
        adapt(files(tmp_path, 1), "regression-mylab", models, lambda _: None, Progress(), start="regression-start")
    assert "--resume" not in str(caught.value)  # there is none
    assert str(work.checkpoint("stopped")) in str(caught.value)


@pytest.mark.parametrize("name", ["linear", "tv"])
def test_methods_without_weights_cannot_be_adapted(name):
    with pytest.raises(RequestError, match="without weights"):
        start_model(name)
