import pytest

from . import scans


@pytest.fixture
def pristine(tmp_path):
    for k in range(2):
        scans.write(tmp_path / "good" / f"place{k}_1.gwy", scans.lattice(48, 48, seed=k))
    return tmp_path / "good"


BASE = ("--models", "linear,cubic", "--tasks", "lines:2,pixels:0.5")


def test_json_has_every_model_on_every_task(run, pristine):
    scores = run("evaluate", "--pristine", pristine, *BASE, "--json").done().json
    assert [(s["set"], s["task"], s["model"]) for s in scores] == [
        ("good", task, model) for task in ("lines:2", "pixels:0.5") for model in ("linear", "cubic")
    ]
    for score in scores:
        assert score["images"] == 2
        assert 0.3 < score["ssim_hidden"] <= score["ssim"] <= 1
        assert score["interval"][0] <= score["ssim"] <= score["interval"][1]


def test_the_table(run, pristine):
    text = run("evaluate", "--pristine", pristine, "--models", "linear, cubic ,", "--tasks", " lines:2 ").done().out
    lines = text.splitlines()
    assert lines[0] == "SSIM, good (2 images)"
    assert lines[2] == "| model | lines:2 |"
    assert [line.split(" | ")[0] for line in lines[4:]] == ["| linear", "| cubic"]
    assert "**" in text


def test_json_into_a_file_beside_the_table_is_strict(run, pristine, tmp_path):
    """Nothing is hidden by lines:1: the scores of hidden pixels are no numbers, and JSON has no NaN."""
    out = tmp_path / "scores.json"
    text = run("evaluate", "--pristine", pristine, "--models", "linear", "--tasks", "lines:1", "--json", out).done().out
    assert text.startswith("SSIM, good")
    import json

    def refuse(word):
        raise AssertionError(word)

    (score,) = json.loads(out.read_text(), parse_constant=refuse)
    assert score["ssim"] == pytest.approx(1)
    assert score["ssim_hidden"] is None


def test_fewer_images(run, pristine):
    scores = run("evaluate", "--pristine", pristine, *BASE, "--images", 1, "--json").done().json
    assert {s["images"] for s in scores} == {1}
    assert all(s["interval"] == [None, None] for s in scores)


def test_learned_models_are_evaluated_by_default(run, pristine, learned):
    scores = run("evaluate", "--pristine", pristine, "--tasks", "lines:2", "--images", 1, "--json").done().json
    assert {learned, "linear", "cubic", "tv", "biharmonic"} <= {s["model"] for s in scores}
    assert "row-median" not in {s["model"] for s in scores}  # cannot do it


def test_the_benchmark_scores_repairs_beside_the_untouched_image(run, monkeypatch):
    from stmviewer.evaluate import sets

    small = sets.simulated(1, 48)
    monkeypatch.setattr(sets, "simulated", lambda: dict(small))
    monkeypatch.delenv("STMVIEWER_REAL_DATA", raising=False)
    words = ["--models", "row-median", "--tasks", "repair", "--json"]
    scores = run("evaluate", "--benchmark", *words).done().json
    assert {s["set"] for s in scores} == set(small)
    assert {s["model"] for s in scores} == {"input", "row-median"}


@pytest.mark.real_data
def test_the_benchmark_takes_real_scans_where_there_are_some(run, real_data, monkeypatch):
    from stmviewer.evaluate import sets

    monkeypatch.setenv("STMVIEWER_REAL_DATA", str(real_data))
    monkeypatch.setattr(sets, "simulated", dict)
    words = ["--models", "linear", "--tasks", "lines:4", "--images", 3, "--json"]
    scores = run("evaluate", "--benchmark", *words).done().json
    silicon = [s for s in scores if "H:Si(100)" in s["set"]]
    assert len(silicon) == 4
    for score in silicon:
        assert score["images"] == 3
        assert 0.4 < score["ssim_hidden"] < 1


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--models", "nope"], ["nope", "linear"]),
        (["--tasks", "nope"], ["nope", "lines:N"]),
        (["--tasks", "lines:0"], ["lines:0"]),
        (["--tasks", "file"], ["file"]),
        (["--tasks", "repair"], ["nothing to score"]),
        (["--models", "row-median"], ["nothing to score"]),
        (["--images", "0"], ["--images"]),
        (["--images=-3"], ["--images"]),
        (["--steps", "0"], ["steps"]),
        (["--report", "out.docx"], [".html or .pdf", "out.docx"]),
        (["--degraded", "no/such/folder", "--tasks", "repair", "--models", "row-median"], ["no such folder"]),
        (["--steps", "1,4"], ["--report"]),
        (["--json", "no/such/folder/x.json"], ["x.json"]),
    ],
)
def test_what_cannot_be_evaluated(run, pristine, words, parts):
    flags = ["--models", "linear", "--tasks", "lines:2", *words]
    run("evaluate", "--pristine", pristine, *flags).refused(*parts)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--calibrate", "linear"], ["no learned model 'linear'"]),
        (["--calibrate", "regression-tiny", "--tasks", "nope"], ["nope", "lines:N"]),
        (["--self-check", "--tasks", "lines:0"], ["lines:0"]),
        (["--self-check", "--tasks", ","], ["no task"]),
        (["--benchmark", "--json", "no/such/folder/x.json"], ["no such folder"]),
        (["--calibrate", "regression-tiny", "--json", "."], ["is a folder"]),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_measured(run, learned, monkeypatch, words, parts):
    from stmviewer.evaluate import sets

    def simulated():
        raise AssertionError("surfaces were simulated")

    monkeypatch.setattr(sets, "simulated", simulated)
    run("evaluate", *words).refused(*parts)


def test_folders_that_are_none(run, tmp_path):
    (tmp_path / "empty").mkdir()
    run("evaluate", "--pristine", tmp_path / "empty", *BASE).refused("empty", "no fully measured scan")
    run("evaluate", "--pristine", tmp_path / "gone", *BASE).refused("gone", "no such folder")
    (tmp_path / "a.sxm").write_bytes(b"x")
    run("evaluate", "--pristine", tmp_path / "a.sxm", *BASE).refused("a.sxm", "is a file, not a folder")


def test_repairs_of_real_scans_need_real_scans_and_models_that_repair(run, monkeypatch, tmp_path):
    monkeypatch.delenv("STMVIEWER_REAL_DATA", raising=False)
    run("evaluate", "--repair-real").refused("STMVIEWER_REAL_DATA")
    monkeypatch.setenv("STMVIEWER_REAL_DATA", str(tmp_path))
    run("evaluate", "--repair-real").refused("labelled images")
    run("evaluate", "--repair-real", "--models", "linear").refused("linear", "repair")


CLASSES = ("evaluate", "--repair-classes", "--models", "row-median", "--images", "1")


def test_repairs_by_class_of_some_classes_and_one_pixel_size(run):
    text = run(*CLASSES, "--classes", "Scars; MultiTip, 2 further", "--pixel-nm", "0.3").done().out
    assert [line.split(" | ")[0] for line in text.splitlines()[4:6]] == ["| Scars", "| MultiTip, 2 further"]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("--classes", "Rain"), ["no class of degradations 'Rain'", "MultiTip, 2 further"]),
        (("--classes", ";"), ["no class of degradations is named"]),
        (("--classes", "Scars", "--pixel-nm", "0"), ["pixel"]),
        (("--classes", "Scars", "--pixel-nm", "nan"), ["pixel"]),
    ],
)
def test_classes_and_pixels_that_cannot_be(run, words, parts):
    run(*CLASSES, *words).refused(*parts)


def test_classes_go_with_repairs_by_class(run, pristine):
    run("evaluate", "--pristine", pristine, *BASE, "--classes", "Scars").refused("--classes goes with --repair-classes")
