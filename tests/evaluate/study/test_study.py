"""Studies: what is compared with what, the numbers against single restorations, stopping and going on."""

import json
from pathlib import Path

import numpy as np
import pytest

from stmviewer.evaluate import clip_weights, spaces
from stmviewer.evaluate.spaces import Space
from stmviewer.evaluate.study import sources
from stmviewer.evaluate.study.measures import BY_KEY, MEASURES, level
from stmviewer.evaluate.study.request import Method, StudyRequest, methods_for
from stmviewer.evaluate.study.result import read_study
from stmviewer.evaluate.study.run import run_study
from stmviewer.evaluate.study.sources import read_folder
from stmviewer.evaluate.study.work import Done, WorkFile
from stmviewer.files import open_scan, save_scan
from stmviewer.restore import RestoreRequest
from stmviewer.restore.pipeline import restore
from stmviewer.scan import Cancelled, FileError, Progress, RequestError
from stmviewer.scan.metrics import compare
from stmviewer.simulate import simulate_scan, to_scan

from .folders import put, study


def quick(_: np.ndarray) -> np.ndarray:
    image = _ - _.mean()
    return np.array([image.std(), np.abs(np.diff(image, axis=0)).mean(), np.abs(np.diff(image, axis=1)).mean()]) * 1e11


@pytest.fixture(autouse=True)
def _own_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """A space that costs nothing in the place of the networks; no CLIP weights of the machine."""
    monkeypatch.delenv(clip_weights.VARIABLE, raising=False)
    own = Space("efficientnet", "Own space", "three numbers", 1.0, 1000.0, False, 16, quick)
    monkeypatch.setattr(spaces, "stand_ins", lambda: [own])


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return put(tmp_path / "good")


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    return put(tmp_path / "bad", bad=True)


def request(good: Path, **more: object) -> StudyRequest:
    values = {"models": ("linear", "cubic", "row-median"), "tasks": ("lines:4",), "device": "cpu"} | more
    return StudyRequest(good, **values)  # type: ignore[arg-type]


def test_the_numbers_are_those_of_single_restorations(good: Path) -> None:
    found = study(request(good))
    assert found.methods("lines:4") == ["linear", "cubic"]  # row-median does not fill
    row = next(r for r in found.rows if (r.method, r.image) == ("cubic", "place1_1.gwy"))
    single = restore(
        open_scan(good / "place1_1.gwy"),
        RestoreRequest(task="sparse", mask="lines:4", model="cubic", check=False),
        Progress(),
    )
    assert single.truth is not None
    q = compare(single.mean, single.truth, ~single.mask.measured)
    assert row.numbers["ssim"] == pytest.approx(q.ssim)
    assert row.numbers["ssim_hidden"] == pytest.approx(q.ssim_hidden)
    assert row.numbers["psnr_hidden_db"] == pytest.approx(q.psnr_hidden_db)
    assert row.numbers["mae_hidden_pm"] == pytest.approx(1e12 * q.mae_hidden)
    assert row.numbers["mae_pm"] == pytest.approx(1e12 * q.mae)
    assert row.numbers["mae_pm"] < row.numbers["mae_hidden_pm"]
    mean = found.mean("lines:4", "cubic", "ssim")
    assert mean is not None
    assert mean.value == pytest.approx(np.mean(found.values("lines:4", "cubic", "ssim")))
    assert mean.images == 3
    base = np.array(found.values("lines:4", "linear", "ssim"))
    assert mean.gain == pytest.approx(float((np.array(found.values("lines:4", "cubic", "ssim")) - base).mean()))
    assert mean.gain_interval[0] <= mean.gain <= mean.gain_interval[1]


def test_repairs_of_degraded_scans_have_no_truth_but_distances(good: Path, bad: Path) -> None:
    found = study(request(good, degraded=bad, tasks=("repair",)))
    assert found.methods("repair") == ["input", "row-median"]
    assert found.paired == []
    assert found.mean("repair", "input", "ssim") is None
    before, after = (next(d for d in found.distances if d.method == m) for m in ("input", "row-median"))
    assert after.value < before.value  # the line offsets are gone
    assert after.gain == pytest.approx(after.value - before.value)
    assert after.reference == 3
    nearness = {m: found.mean("repair", m, "nearness") for m in ("input", "row-median")}
    assert nearness["row-median"].value > nearness["input"].value  # type: ignore[union-attr]
    assert [s.role for s in found.sets] == ["pristine", "degraded"]


def test_without_degraded_scans_damage_is_simulated_and_the_truth_known(good: Path) -> None:
    found = study(request(good, tasks=("repair",), preset="severe"))
    assert found.paired == ["repair"]
    value = found.mean("repair", "input", "ssim")
    assert value is not None
    assert 0 < value.value < 0.97
    assert any("simulated damage (preset severe)" in n for n in found.notes)
    again = study(request(good, tasks=("repair",), preset="severe"))
    assert again.mean("repair", "input", "ssim") == value  # the same seed
    other = study(request(good, tasks=("repair",), preset="severe", seed=1))
    assert other.mean("repair", "input", "ssim") != value


def test_simulated_pairs_carry_their_truth(tmp_path: Path) -> None:
    pairs = [simulate_scan("si001h", 48, 48, 0.1e-9, "severe", (0, k)) for k in range(2)]
    for k, pair in enumerate(pairs):
        save_scan(to_scan(pair), tmp_path / "pairs" / f"pair{k}_0.gwy")
    folder = tmp_path / "pairs"
    good = read_folder(folder, 9, Progress(), good=True)
    bad = read_folder(folder, 9, Progress(), good=False)
    np.testing.assert_allclose(good[0].data, pairs[0].clean)
    np.testing.assert_allclose(bad[1].data, pairs[1].degraded)
    np.testing.assert_allclose(bad[1].truth, pairs[1].clean)
    found = study(request(folder, degraded=folder, tasks=("repair",)))
    assert found.paired == ["repair"]
    expected = [compare(level(p.degraded), level(p.clean)).ssim for p in pairs]
    assert found.values("repair", "input", "ssim") == pytest.approx(expected)


def test_scans_without_a_size_have_errors_in_percent_alone(tmp_path: Path) -> None:
    folder = put(tmp_path / "pictures", unit="")
    found = study(request(folder, tasks=("lines:4", "repair")))
    assert "mae_percent" in found.measures("lines:4")
    assert not {"mae_pm", "mae_hidden_pm", "residual_pm"} & set(found.measures("lines:4"))
    assert any("nominal scale" in n for n in found.notes)
    assert found.sets[0].pixels == "no pixel size in the files"


def test_folders_are_read_evenly_and_what_cannot_be_used_is_left_out(tmp_path: Path) -> None:
    folder = put(tmp_path / "many", 8)
    (folder / "notes.txt").write_text("no scan")
    (folder / "place9_1.gwy").write_bytes(b"GWYPdamaged")
    flat = np.zeros((48, 48))
    np.save(folder / "flat.npy", flat)
    names = [i.name for i in read_folder(folder, 4, Progress(), good=True)]
    assert len(names) == 4
    assert names == sorted(names)
    assert len({int(n[5]) // 2 for n in names}) >= 3  # from all over the list
    assert len(read_folder(folder, 99, Progress(), good=True)) == 8
    with pytest.raises(FileError, match="no such folder"):
        read_folder(tmp_path / "gone", 4, Progress(), good=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="no scan in this folder"):
        read_folder(tmp_path / "empty", 4, Progress(), good=True)


def test_images_of_one_prefix_are_one_group(tmp_path: Path) -> None:
    folder = put(tmp_path / "a", 3)
    (folder / "place1_1.gwy").rename(folder / "place0_2.gwy")
    groups = [i.group for i in read_folder(folder, 9, Progress(), good=True)]
    assert groups == ["place0", "place0", "place2"]


def test_models_kinds_and_all_classical_methods(good: Path) -> None:
    sparse, notes = methods_for(request(good, models=("classical",)), "lines:4")
    assert sparse[0] == Method("linear")
    assert {"cubic", "tv", "biharmonic"} <= {m.model for m in sparse}
    assert "row-median" not in {m.model for m in sparse}
    assert notes == []
    repair, _ = methods_for(request(good, models=("classical",)), "repair")
    assert repair[0] == Method("input")
    assert "row-median" in {m.model for m in repair}
    flows, _ = methods_for(request(good, models=("flow",), steps=(1, 4)), "repair")
    assert [m.label for m in flows] == ["input", "flow-sim, 1 step", "flow-sim, 4 steps"]
    with pytest.raises(RequestError, match="no model 'nope'"):
        methods_for(request(good, models=("nope",)), "repair")


def test_a_kind_that_is_not_installed_is_left_out_with_a_note(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stmviewer import paths

    monkeypatch.setattr(paths, "shipped_models", lambda: good / "none")
    found, notes = methods_for(request(good, models=("diffusion", "cubic")), "lines:4")
    assert [m.model for m in found] == ["linear", "cubic"]
    assert notes == ["There is no model of kind diffusion: left out"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"tasks": ()}, "needs a task"),
        ({"tasks": ("dream:2",)}, "dream:2"),
        ({"images": 0}, "1 image or more"),
        ({"steps": (0,)}, "steps"),
        ({"samples": 0}, "samples"),
        ({"preset": "nope"}, "nope"),
        ({"models": ("row-median",)}, "nothing to compare"),
        ({"clip": Path("no/such/file")}, "no such file"),
    ],
)
def test_what_cannot_be_studied(good: Path, values: dict[str, object], says: str) -> None:
    with pytest.raises((RequestError, FileError), match=says):
        study(request(good, **values))


class StopAfter(Progress):
    """Asks to stop after so many images."""

    def __init__(self, images: int) -> None:
        super().__init__(self._look)
        self.left, self.seen = images, set[str]()

    def _look(self, advance: object) -> None:
        self.seen.add(advance.step)  # type: ignore[attr-defined]
        if len({s for s in self.seen if s.startswith(("linear,", "cubic,"))}) > self.left:
            self._root.stop.set()


def test_a_stopped_study_goes_on_and_finds_the_same(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = study(request(good))
    work = tmp_path / "out.html.work"
    with pytest.raises(Cancelled):
        run_study(request(good), work, StopAfter(2))
    assert work.is_file()
    done = []
    from stmviewer.evaluate.study import run

    monkeypatch.setattr(run, "restore", lambda *a, **k: done.append(1) or restore(*a, **k))
    found, file = run_study(request(good), work, Progress())
    assert 0 < len(done) < 6  # 2 methods on 3 images, some of them before
    assert file.resumed > 0
    file.remove()
    assert not work.exists()
    assert any("went on" in n for n in found.notes)
    for a, b in zip(whole.rows, found.rows, strict=True):
        assert (a.task, a.method, a.image) == (b.task, b.method, b.image)
        for key in ("ssim", "mae_pm", "nearness", "lattice"):
            assert a.numbers[key] == pytest.approx(b.numbers[key], nan_ok=True)
    assert [d.value for d in whole.distances] == pytest.approx([d.value for d in found.distances])


def test_another_request_starts_the_work_anew(good: Path, tmp_path: Path) -> None:
    work = tmp_path / "w.work"
    with pytest.raises(Cancelled):
        run_study(request(good), work, StopAfter(2))
    found, file = run_study(request(good, tasks=("lines:2",)), work, Progress())
    assert file.resumed == 0
    assert found.tasks == ["lines:2"]
    file.remove()


def test_a_damaged_work_file_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "w.work"
    path.write_bytes(b"this is no database at all, but long enough to be looked at" * 20)
    with WorkFile(path, "a") as work:
        assert work.resumed == 0
        picture = np.arange(12, dtype=np.uint8).reshape(3, 4)
        key = ("t", "m", "i")
        work.put(key, Done({"ssim": 0.5, "lattice": float("nan")}, (1.0, float("nan")), picture, {"s": np.ones(3)}))
        assert not work.has(("t", "m", "j"))
    with WorkFile(path, "a") as work:
        assert work.resumed == 1
        assert work.has(key)
        np.testing.assert_array_equal(work.picture(key), picture)
        assert work.numbers(key)["ssim"] == 0.5
        assert np.isnan(work.numbers(key)["lattice"])
        assert np.isnan(work.spectrum(key)[1])
        np.testing.assert_array_equal(work.vectors("s", [key]), np.ones((1, 3)))
        assert work.vectors("s", [key, ("t", "m", "j")]) is None
        assert work.vectors("other", [key]) is None
    with WorkFile(path, "b") as work:
        assert work.resumed == 0


def test_a_work_file_that_cannot_be_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError, match="work file"):
        WorkFile(tmp_path / "file" / "w.work", "a")


def test_json_and_back(good: Path, tmp_path: Path) -> None:
    found = study(request(good, tasks=("lines:4", "repair")))
    path = tmp_path / "r.json"
    path.write_text(found.to_json())
    json.loads(path.read_text(), parse_constant=lambda word: pytest.fail(word))
    back = read_study(path)
    assert back.to_json() == found.to_json()
    assert back.methods("repair") == found.methods("repair")
    assert back.examples == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "stmviewer-report-1"}', '{"format": "other"}', "\xff"])
def test_what_is_no_report(tmp_path: Path, content: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(FileError, match=r"r\.json"):
        read_study(path)
    with pytest.raises(FileError, match="cannot be read"):
        read_study(tmp_path / "gone.json")


def test_the_best_the_median_and_the_worst_are_shown(good: Path) -> None:
    found = study(request(good, tasks=("lines:4",)))
    assert [e.which for e in found.examples] == ["best", "median", "worst"]
    scores = dict(
        zip([r.image for r in found.rows if r.method == "cubic"], found.values("lines:4", "cubic", "ssim"), strict=True)
    )
    ranked = [scores[e.image] for e in found.examples]
    assert ranked == sorted(ranked, reverse=True)
    assert ranked[0] == max(scores.values())
    titles = [p.title for p in found.examples[0].pictures]
    assert titles == ["truth", "measured part", "linear", "cubic"]
    truth, part = found.examples[0].pictures[:2]
    assert truth.grey.shape == part.grey.shape == (48, 48)
    hidden = (part.grey == 0).all(axis=1)
    assert hidden.sum() == 36
    np.testing.assert_array_equal(part.grey[~hidden], truth.grey[~hidden])


def test_few_images_are_warned_of_and_without_clip_it_says_so(good: Path) -> None:
    notes = " ".join(study(request(good)).notes)
    assert "fewer than 50" in notes
    assert "biased" in notes
    assert "CMMD is not computed" in notes
    assert "not CMMD" in notes
    assert "3 places or sessions only" in notes
    assert all(np.isnan(d.interval[0]) for d in study(request(good)).distances)
    assert "own originals" in notes


def test_half_against_half_stands_beside_the_distances(tmp_path: Path) -> None:
    found = study(request(put(tmp_path / "good", 6)))
    halves = [d for d in found.distances if d.task == ""]
    assert [d.method for d in halves] == ["pristine, half against half"]
    assert halves[0].interval[0] <= halves[0].value <= halves[0].interval[1]
    assert (halves[0].images, halves[0].reference) == (3, 3)


def test_an_image_that_fails_is_told_and_the_others_stand(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stmviewer.evaluate.study import run

    def sometimes(scan: object, asked: RestoreRequest, progress: Progress) -> object:
        if asked.model == "cubic" and "place1" in str(scan.path):  # type: ignore[attr-defined]
            raise RequestError("no luck")
        return restore(scan, asked, progress)  # type: ignore[arg-type]

    monkeypatch.setattr(run, "restore", sometimes)
    found = study(request(good))
    assert "1 of the images failed with cubic, lines:4: no luck" in found.notes
    assert len(found.values("lines:4", "cubic", "ssim")) == 2
    mean = found.mean("lines:4", "cubic", "ssim")
    assert mean is not None
    assert mean.images == 2
    monkeypatch.setattr(run, "restore", lambda *_: (_ for _ in ()).throw(RequestError("never")))
    with pytest.raises(RequestError, match="nothing could be restored"):
        study(request(good))


def test_every_measure_is_defined_once() -> None:
    assert len(BY_KEY) == len(MEASURES)
    for m in MEASURES:
        assert m.about.endswith(".")
        assert "LPIPS" not in m.title


def test_simulated_damage_keeps_the_scale_of_the_scan(good: Path) -> None:
    images = read_folder(good, 3, Progress(), good=True)
    bad = sources.damaged(images, "mild", 0, Progress())
    for a, b in zip(images, bad, strict=True):
        assert b.truth is not None
        assert b.data.shape == b.truth.shape == a.data.shape
        assert 0.8 < level(b.truth).std() / level(a.data).std() < 1.2  # drift moves it, and no more
        assert 0.3 < np.ptp(level(b.data)) / np.ptp(level(a.data)) < 30


@pytest.mark.real_data
def test_real_scans(real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repairs of real degraded scans of validation sessions, and hidden lines of good ones, with the real spaces."""
    monkeypatch.undo()
    folder = real_data / "si100h"
    if not folder.is_dir():
        pytest.skip("there are no labelled images")
    sessions = set((folder / "validation_sessions.txt").read_text().split())
    for kind in ("pristine", "tip_change"):
        (tmp_path / kind).mkdir()
        files = [p for p in sorted((folder / kind).glob("*.png")) if p.name.split("_")[0] in sessions]
        for path in files[:: max(1, len(files) // 3)][:3]:
            (tmp_path / kind / path.name).write_bytes(path.read_bytes())
    asked = request(tmp_path / "pristine", degraded=tmp_path / "tip_change", tasks=("repair", "lines:4"))
    found = study(asked)
    assert found.paired == ["lines:4"]
    cubic = found.mean("lines:4", "cubic", "ssim")
    assert cubic is not None
    assert 0.4 < cubic.value < 1
    assert {d.space for d in found.distances} == {"efficientnet", "tip"}
    tips = found.mean("repair", "input", "good_tip")
    assert tips is not None
    assert 0 < tips.value < 1
