"""The judge of tips: its parts, its answers on planted cases, and that nothing learns from it."""

import ast
import math
from pathlib import Path

import numpy as np
import pytest

import stmviewer
from stmviewer import paths
from stmviewer.evaluate import judges, tip_state
from stmviewer.evaluate.tip_state import KINDS, Head, SecondEnd, TipState, judge, judge_channel, load_head, save_head
from stmviewer.files import open_scan
from stmviewer.scan import Channel, FileError, RequestError
from stmviewer.simulate import Si001H
from stmviewer.simulate.degradations import DullTip, TipChange

WEIGHTS = paths.shipped_models() / f"{tip_state.NAME}.safetensors"
needs_weights = pytest.mark.skipif(not WEIGHTS.is_file(), reason="models/ has no weights")
PIXEL_M = 0.06e-9


def state(**shares: float) -> dict:
    rest = (1 - sum(shares.values())) / (4 - len(shares))
    return {kind: shares.get(kind, rest) for kind in KINDS}


def test_advice():
    assert TipState(state(good=0.9)).advice == "go on"
    assert TipState(state(double=0.7)).advice == "recondition the tip"
    assert TipState(state(blurry=0.7)).advice == "recondition the tip"
    assert TipState(state(change=0.7), 120, True).advice == "restore and go on"
    assert TipState(state(change=0.7), 120, False).advice == "recondition the tip"
    assert TipState(state(change=0.7), 500, None).advice == "recondition the tip"
    unsure = TipState(state(good=0.4, double=0.35))
    assert not unsure.sure
    assert "yourself" in unsure.advice


def test_one_line_of_text():
    text = TipState(state(change=0.81), 119, True).text
    assert text == "Tip: changed at line 120 (81 %): restore and go on"
    assert TipState(state(double=0.7), 119).text == "Tip: double or asymmetric (70 %): recondition the tip"


def test_a_second_end_is_said_before_how_the_tip_looks():
    seen = TipState(state(good=0.86), second=SecondEnd(0.879e-9, -0.656e-9, True))
    assert seen.text == (
        "Tip: a second end, features repeat at +0.88, -0.66 nm (right, down); else it looks good (86 %): "
        "recondition the tip"
    )
    assert SecondEnd(11.04, -8.2, False).text == "+11, -8.2 px (right, down)"
    unsure = TipState(state(good=0.4, double=0.35), second=SecondEnd(1e-9, 0.0, True))
    assert unsure.advice == "recondition the tip"


@needs_weights
def test_the_sample_with_a_double_tip_is_not_called_good():
    """What a repair warns of, the judge says too: the second end of the sample is at (11, -8) pixels."""
    scan = open_scan(paths.resources() / "samples" / "si001h-double-tip.gwy")
    pixel_m = scan.geometry.pixel_width
    found = judge_channel(scan.channel(), pixel_m=pixel_m)
    assert found.advice == "recondition the tip"
    assert found.kind == "double" or found.second is not None
    if found.second is not None:
        assert np.hypot(found.second.x / pixel_m - 11, found.second.y / pixel_m + 8) < 0.5


def test_second_ends_are_looked_for_only_where_they_would_be_believed(monkeypatch):
    """Streaks and jumps repeat, and so does a lattice that the judge does not know."""
    end = SecondEnd(1e-9, 0.0, True)
    monkeypatch.setattr(tip_state, "_second_end", lambda *_: end)
    channel = Channel("Z", "m", np.random.default_rng(0).random((80, 80)))
    for kind, recognised, expected in (("good", True, end), ("good", False, None), ("blurry", True, None)):
        said = TipState(state(**{kind: 0.8}))
        monkeypatch.setattr(tip_state, "judge", lambda *_, said=said: said)
        monkeypatch.setattr(tip_state, "_recognised", lambda *_, recognised=recognised: recognised)
        assert judge_channel(channel, pixel_m=1e-10).second == expected


def test_a_head_keeps_its_numbers_on_disk_and_its_temperature_flattens(tmp_path):
    rng = np.random.default_rng(0)
    head = Head(rng.normal(size=6), rng.uniform(1, 2, 6), rng.normal(size=(6, 4)), rng.normal(size=4), 2.0)
    path = tmp_path / "head.safetensors"
    save_head(head, str(path))
    again = load_head(str(path))
    values = rng.normal(size=(3, 6))
    np.testing.assert_allclose(again.probabilities(values), head.probabilities(values), atol=1e-5)
    assert head.probabilities(values).sum(axis=1) == pytest.approx(1)
    sharp = Head(head.mean, head.scale, head.weights, head.bias, 1.0)
    assert (sharp.probabilities(values).max(axis=1) > head.probabilities(values).max(axis=1)).all()
    # what lies far out is no reason to be ever surer
    assert np.isfinite(head.probabilities(np.full(6, 1e300))).all()


def test_damaged_and_foreign_heads_are_errors(tmp_path):
    path = tmp_path / "head.safetensors"
    path.write_bytes(b"no weights")
    with pytest.raises(FileError, match="damaged"):
        load_head(str(path))
    save_head(Head(np.zeros(3), np.ones(3), np.zeros((2, 4)), np.zeros(4), 1.0), str(path))
    with pytest.raises(FileError, match="do not fit"):
        load_head(str(path))
    with pytest.raises(FileError, match="not the weights"):
        load_head(str(paths.shipped_models() / "efficientnet-lite0.safetensors"))


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_nothing_that_restores_or_trains_knows_the_judges():
    """A judge that models are trained to please judges nothing any more."""
    package = Path(stmviewer.__file__).parent
    files = [p for f in ("restore", "train", "simulate") for p in (package / f).rglob("*.py")]
    assert len(files) > 30
    for path in files:
        named = {name for name in imports_of(path) if name.startswith("stmviewer.evaluate")}
        assert not named, f"{path} imports {named}"
        assert "tip_state" not in path.read_text(encoding="utf-8")


def surface(seed: int, side: int = 256) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.asarray(Si001H.random(rng).make(side, side, PIXEL_M, rng))


def noisy(image: np.ndarray, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return image + 4e-12 * rng.standard_normal(image.shape) + 3e-12 * rng.standard_normal((len(image), 1))


def changed(seed: int, line: int, side: int = 256) -> np.ndarray:
    """The tip gets dull at that line, and the height jumps."""
    rng = np.random.default_rng((seed, 1))
    dull = DullTip.draw(rng, PIXEL_M)
    jump = float(rng.choice((-1, 1)) * rng.uniform(30e-12, 90e-12))
    change = TipChange(line / side + 1e-6, 0.0, jump, 2.0, 1.0, dull)
    return noisy(change.apply(surface(seed, side), rng), seed)


@needs_weights
def test_the_line_of_a_planted_change_is_found():
    errors = []
    for seed in range(6):
        line = int(np.random.default_rng(seed).integers(40, 216))
        found = tip_state._probabilities(changed(seed, line))
        errors.append(abs(tip_state.change_row(found[1], found[2]) - line))
    assert np.median(errors) <= 2


@needs_weights
def test_a_change_makes_a_change_likelier():
    before = [judge(noisy(surface(seed))).probabilities["change"] for seed in range(4)]
    after = [judge(changed(seed, 130)).probabilities["change"] for seed in range(4)]
    assert np.mean(after) > np.mean(before) + 0.15


@needs_weights
def test_sizes_from_64_pixels_on_and_probabilities_that_add_up():
    for shape in ((64, 64), (100, 333), (600, 700), (65, 900)):
        image = noisy(surface(0, max(shape)))[: shape[0], : shape[1]]
        found = judge(image)
        assert sum(found.probabilities.values()) == pytest.approx(1)
        assert found.changed_at is None or 0 <= found.changed_at < shape[0]


@needs_weights
def test_neither_unit_nor_tilt_matters_and_the_answer_is_always_the_same():
    image = noisy(surface(0))
    y, x = np.mgrid[:256, :256]
    first, again = judge(image), judge(image)
    assert first == again
    other = judge(1e12 * image + 5 * x - 3 * y)
    for kind in KINDS:
        assert other.probabilities[kind] == pytest.approx(first.probabilities[kind], abs=0.02)


@needs_weights
def test_an_unfinished_scan_is_judged_by_its_whole_lines():
    image = noisy(surface(0))
    whole = judge_channel(Channel("Z", "m", image[:150].copy()))
    unfinished = image.copy()
    unfinished[150:] = np.nan
    assert judge_channel(Channel("Z", "m", unfinished)) == whole
    late = changed(1, 130)
    late[:20] = np.nan
    found = judge_channel(Channel("Z", "m", late))
    part = judge(late[20:])
    assert found.changed_at == (None if part.changed_at is None else part.changed_at + 20)


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(RequestError, match="64 whole lines"):
        judge_channel(Channel("Z", "m", np.random.default_rng(0).random((63, 80))))
    with pytest.raises(RequestError, match="never ran"):
        judge_channel(Channel("Z", "m", np.full((80, 80), np.nan)))
    gaps = np.random.default_rng(0).random((128, 128))
    gaps[::4] = np.nan
    with pytest.raises(RequestError, match="it has 3 of 128"):
        judge_channel(Channel("Z", "m", gaps))


@needs_weights
def test_the_shipped_judge_is_listed_and_calibrated():
    head = load_head(str(judges.weights(tip_state.NAME)))
    assert math.isfinite(head.temperature)
    assert head.temperature > 0
    assert WEIGHTS.stat().st_size < 1_000_000


@needs_weights
@pytest.mark.real_data
def test_on_sessions_that_it_has_not_seen_it_meets_most_labels(real_data):
    from stmviewer.evaluate.real_pairs import read_labelled

    images = read_labelled(real_data)
    good = [judge(i.data).kind == "good" for i in [i for i in images if i.kind == "pristine"][::8]]
    change = [judge(i.data).kind == "change" for i in images if i.kind == "tip_change"]
    assert np.mean(good) > 0.6
    assert np.mean(change) > 0.6


def test_surfaces_without_the_rows_of_silicon_are_judged_under_reserve():
    from stmviewer.simulate import Si001H, simulate_scan, to_scan

    rng = np.random.default_rng(3)
    z = Si001H(angle_deg=30, bias_v=-2.0, tip_height_m=0.4e-9).make(160, 160, 0.1e-9, rng)
    silicon = Channel("Z", "m", z + rng.normal(0, 2e-12, z.shape))
    assert judge_channel(silicon, pixel_m=0.1e-9).recognised
    assert judge_channel(silicon).recognised  # a picture without a size
    assert not judge_channel(silicon, pixel_m=0.15e-9).recognised  # another lattice, then
    graphite = to_scan(simulate_scan("graphite", 128, 128, 0.03e-9, "mild", 0)).channel()
    state = judge_channel(graphite, pixel_m=0.03e-9)
    assert not state.recognised
    assert state.text.startswith("Tip, if this is H:Si(100): ")
