import json
import logging

import numpy as np
import pytest
import torch

from stmviewer import paths
from stmviewer.restore import RestoreRequest, library
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.models import CfmModel, DiffusionModel, FlowModel
from stmviewer.restore.networks import condition
from stmviewer.restore.pipeline import restore
from stmviewer.restore.starting import grown
from stmviewer.restore.weights import load_weights, save_weights
from stmviewer.scan import Cancelled, Channel, FileError, Geometry, Progress, RequestError, Scan
from stmviewer.train import coverage as coverage_module
from stmviewer.train import makers as makers_module
from stmviewer.train.run import train

from . import tiny
from .test_folder import lattice, save


@pytest.fixture(autouse=True)
def _few_samples(monkeypatch):
    monkeypatch.setattr(makers_module, "VALIDATION_SAMPLES", 2)
    monkeypatch.setattr(coverage_module, "_IMAGES", 3)


@pytest.fixture
def models():
    """The user's library, empty."""
    return paths.user_models()


@pytest.fixture
def scans(tmp_path):
    """A folder with two good scans, large enough for crops of 64 pixels."""
    save(tmp_path / "scans" / "a.gwy", lattice(112, 112))
    save(tmp_path / "scans" / "b.gwy", lattice(112, 120, seed=1))
    save(tmp_path / "scans" / "small.gwy", lattice(20, 20))
    return tmp_path / "scans"


def put(models, name: str, licence: str = "MIT", seed: int = 0) -> ModelInfo:
    """An untrained model in a library."""
    kind = name.partition("-")[0]
    save_weights(tiny.network(kind, seed), models / f"{name}.safetensors")
    info = ModelInfo(name, kind, "x", "made by a test", ("repair", "sparse"), learned=True, licence=licence)
    library.register(info, models)
    return info


def trained(models, progress=None, resume=False, **changes):
    lines = []
    asked = tiny.spec(**({"steps": 2} | changes))
    info = train(asked, models, lines.append, progress or Progress(), device="cpu", resume=resume)
    return info, lines


def test_a_trained_model_is_in_the_library_with_its_card_and_log(models):
    info, lines = trained(models)
    assert info.licence == "MIT"
    assert (info.kind, info.family) == ("regression", "tiny")
    assert [line.kind for line in lines][-4:] == ["validation", "probes", "kept", "saved"]
    listed = {i.name: i for i in library.model_infos()}["regression-tiny"]
    assert listed.source == "user"
    assert listed.tasks == ("repair", "sparse")
    card = (models / "regression-tiny.md").read_text()
    for part in ("3 simulated si001h surfaces", "64 x 64 pixels, batches of 2", "2 steps", "- Licence: MIT"):
        assert part in card
    log = [json.loads(line) for line in (models / "regression-tiny.training" / "log.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in log] == [line.kind for line in lines[1:-1]]
    assert not list(models.rglob("*.part"))


def test_the_saved_weights_are_the_best_averaged_ones_and_restore(models):
    _, lines = trained(models)
    state = models / "regression-tiny.training" / "state.safetensors"
    from safetensors.torch import load_file

    best = {k.removeprefix("best/"): v for k, v in load_file(state).items() if k.startswith("best/")}
    saved = load_weights(models / "regression-tiny.safetensors").state_dict()
    assert best
    # kept in half precision
    assert all(torch.equal(saved[name], value.half().float()) for name, value in best.items())
    kept = next(line for line in lines if line.kind == "kept").values
    card = (models / "regression-tiny.md").read_text()
    if kept["best_step"] == 2:
        assert kept["best"] == kept["last"]
        said = "the last step, which no earlier ones beat beyond chance (SSIM {best:.4f} in validation)"
    else:
        said = "step 1; later ones did worse in validation (SSIM {best:.4f} here)"
    assert f"- Kept: the averaged weights of {said.format(**kept)}\n" in card


def test_a_trained_model_works(models):
    trained(models)
    scan = Scan([Channel("Z", "m", lattice(40, 48))], Geometry(48, 40, 4.8e-9, 4.0e-9))
    for task, mask in (("repair", None), ("sparse", "lines:2")):
        result = restore(scan, RestoreRequest(task=task, model="regression-tiny", mask=mask), Progress())
        assert result.model == "regression-tiny"
        assert np.isfinite(result.mean).all()
        assert result.deviation is not None


def test_a_flow_starts_from_a_regression_and_is_one_model_with_it(models):
    put(models, "regression-first", seed=4)
    info, _ = trained(models, kind="flow", name="flow-tiny", start_from="regression-first")
    assert info.samples
    assert 4 in info.steps
    flow = load_weights(models / "flow-tiny.safetensors")
    assert isinstance(flow, FlowModel)
    first = tiny.weights(grown(load_weights(models / "regression-first.safetensors")))
    assert tiny.same(tiny.weights(flow.regression), {name: value.half().float() for name, value in first.items()})
    assert "- Started from: regression-first" in (models / "flow-tiny.md").read_text()


def test_a_flow_takes_its_network_from_one_model_and_its_mean_from_another(models):
    """What it starts as is the old flow's network on the new mean, with inputs that old weights did not have."""
    put(models, "flow-old", seed=1)
    put(models, "regression-new", "GPL-3.0", seed=2)
    info, _ = trained(models, kind="flow", name="flow-tiny", start_from="flow-old", mean_from="regression-new", rate=0)
    made = load_weights(models / "flow-tiny.safetensors")
    old, new = (load_weights(models / f"{name}.safetensors") for name in ("flow-old", "regression-new"))
    assert isinstance(made, FlowModel)
    assert isinstance(old, FlowModel)
    assert made.config.told
    images = torch.randn(4, 2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    state, first, sharp, measured = images
    given = torch.cat([first, sharp], dim=1), measured, torch.tensor([condition(True, 0.25, 1e-10)] * 2)
    mean = new(*given)[0].detach()
    torch.testing.assert_close(made.mean(*given)[0], mean, atol=2e-3, rtol=0)  # half precision on disk
    time = torch.tensor([0.1, 0.8])
    torch.testing.assert_close(made(state, time, mean, *given), old(state, time, mean, *given), atol=2e-3, rtol=0)
    assert info.licence == "GPL-3.0"
    card = (models / "flow-tiny.md").read_text()
    assert "- Started from: flow-old" in card
    assert "- At the mean of: regression-new" in card


@pytest.mark.parametrize("kind", ["cfm", "diffusion"])
def test_models_on_noise_start_as_the_regression_that_they_come_from(models, kind):
    put(models, "regression-first", seed=4)
    info, lines = trained(models, kind=kind, name=f"{kind}-tiny", start_from="regression-first", rate=0)
    made, first = (load_weights(models / f"{name}.safetensors") for name in (f"{kind}-tiny", "regression-first"))
    assert type(made) is {"cfm": CfmModel, "diffusion": DiffusionModel}[kind]
    assert isinstance(made, CfmModel)
    assert info.samples
    assert made.steps in info.steps
    scored = [line for line in lines if line.kind == "validation"][-1].values
    assert any(key.endswith(" loss") for key in scored)
    filled, measured = torch.randn(2, 2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    told = torch.tensor([condition(False, 1.0, None)] * 2)
    both = torch.cat([filled, measured], dim=1)
    expected = first(filled, measured, told)
    for found, wanted in zip(made.mean(both, measured, told), expected, strict=True):
        torch.testing.assert_close(found, wanted, atol=2e-3, rtol=0)
    anywhere = made(measured, torch.tensor([0.3, 0.9]), filled, both, measured, told)
    torch.testing.assert_close(anywhere, expected[0], atol=2e-3, rtol=0)


@pytest.mark.parametrize("kind", ["cfm", "diffusion", "autoencoder"])
def test_every_other_kind_is_trained_from_scratch_too_and_goes_on(models, kind):
    info, _ = trained(models, kind=kind, name=f"{kind}-tiny")
    assert (info.kind, info.family, bool(info.steps)) == (kind, "tiny", kind != "autoencoder")
    trained(models, kind=kind, name=f"{kind}-more", start_from=f"{kind}-tiny")
    scan = Scan([Channel("Z", "m", lattice(40, 48))], Geometry(48, 40, 4.8e-9, 4.0e-9))
    result = restore(scan, RestoreRequest(task="sparse", model=kind, mask="lines:2", samples=2, steps=2), Progress())
    assert result.model == f"{kind}-more"
    assert np.isfinite(result.mean).all()
    assert result.deviation is not None
    assert result.deviation.max() > 0


def test_a_model_beside_the_new_one_can_be_the_start(tmp_path):
    """--models-dir is a library too, wherever it is."""
    elsewhere = tmp_path / "elsewhere"
    put(elsewhere, "regression-first")
    trained(elsewhere, start_from="regression-first")
    assert (elsewhere / "regression-tiny.safetensors").is_file()
    assert not (paths.user_models() / "manifest.json").exists()


def test_starts_that_are_not_there_or_do_not_fit_are_refused_before_any_work(models, monkeypatch):
    monkeypatch.setattr(makers_module, "PristineBank", None)  # would fail
    with pytest.raises(RequestError, match="no trained model 'regression-nope'"):
        trained(models, start_from="regression-nope")
    with pytest.raises(RequestError, match="no trained model 'linear'"):
        trained(models, start_from="linear")
    put(models, "flow-first")
    for kind in ("regression", "cfm", "diffusion", "autoencoder"):
        with pytest.raises(RequestError, match=f"a {kind} cannot start from 'flow-first', which is a flow"):
            trained(models, kind=kind, name=f"{kind}-tiny", start_from="flow-first")
    put(models, "regression-first")
    put(models, "cfm-first")
    for kind, start in (("autoencoder", "regression-first"), ("flow", "cfm-first"), ("regression", "cfm-first")):
        with pytest.raises(RequestError, match=f"a {kind} cannot start from '{start}'"):
            trained(models, kind=kind, name=f"{kind}-tiny", start_from=start)
    for start, mean in (("regression-first", "regression-first"), ("flow-first", "cfm-first")):
        with pytest.raises(RequestError, match="--mean: a flow takes the mean of a regression"):
            trained(models, kind="flow", name="flow-tiny", start_from=start, mean_from=mean)
    with pytest.raises(RequestError, match="--mean: there is no trained model 'regression-nope'"):
        trained(models, kind="flow", name="flow-tiny", start_from="flow-first", mean_from="regression-nope")
    with pytest.raises(RequestError, match="--mean goes with --from a flow"):
        trained(models, kind="flow", name="flow-tiny", mean_from="regression-first")
    assert not (models / "regression-tiny.training").exists()


def test_an_existing_name_is_refused_and_the_model_stays(models):
    trained(models)
    before = (models / "regression-tiny.safetensors").read_bytes()
    with pytest.raises(RequestError, match="there is a model 'regression-tiny' already"):
        trained(models, seed=5)
    assert (models / "regression-tiny.safetensors").read_bytes() == before


def test_a_stopped_training_is_not_started_over_by_mistake(models):
    with pytest.raises(Cancelled):
        trained(models, tiny.stopping_after(0.5), steps=6)
    work = models / "regression-tiny.training"
    before = {p.name: p.read_bytes() for p in work.rglob("*") if p.is_file()}
    assert {p.name for p in work.iterdir()} == {"state.safetensors", "log.jsonl", "probes", "checkpoints"}
    assert not (models / "regression-tiny.safetensors").exists()
    with pytest.raises(RequestError, match="stopped training"):
        trained(models, steps=6)
    assert {p.name: p.read_bytes() for p in work.rglob("*") if p.is_file()} == before


def test_a_stopped_training_goes_on_to_the_same_model(models, tmp_path):
    trained(tmp_path / "whole", steps=6)
    with pytest.raises(Cancelled):
        trained(models, tiny.stopping_after(0.5), steps=6)
    _, lines = trained(models, resume=True, steps=6)
    assert lines[-1].step == 6
    one, other = (load_weights(d / "regression-tiny.safetensors") for d in (models, tmp_path / "whole"))
    assert tiny.same(tiny.weights(one), tiny.weights(other))
    log = [json.loads(line) for line in (models / "regression-tiny.training" / "log.jsonl").read_text().splitlines()]
    steps = [line["step"] for line in log]
    assert steps == sorted(steps)  # the old log goes on
    assert steps[0] < 4


def test_there_must_be_a_training_to_resume(models):
    with pytest.raises(FileError, match="no training to resume"):
        trained(models, resume=True)


def test_a_folder_of_scans_is_trained_on_and_keeps_its_licence(models, scans, caplog):
    with caplog.at_level(logging.WARNING):
        info, lines = trained(models, source=str(scans))
    assert info.licence == "that of the scans it was trained on"
    card = (models / "regression-tiny.md").read_text()
    assert "2 scans in the folder scans, 1 left out" in card
    assert "- Licence: that of the scans it was trained on" in card
    assert str(scans.parent) not in card  # nobody's folders
    assert "small.gwy is left out: smaller than 96 pixels a side" in caplog.text
    assert {k for line in lines if line.kind == "validation" for k in line.values} <= {
        f"own scans {task} {who}" for task in ("repair", "sparse") for who in ("model", "start")
    }


def test_the_library_knows_what_the_training_covered(models, scans):
    info, _ = trained(models)
    for low, high in (info.noise, info.contrast_m, info.periods_px):
        assert 0 < low < high
    assert 1e-12 < info.contrast_m[1] < 2e-9
    assert {i.name: i for i in library.model_infos()}["regression-tiny"].noise == info.noise
    mixed, _ = trained(models, source=str(scans), mixed_with="simulated:si001h", name="regression-mixed", steps=1)
    assert mixed.contrast_m[0] <= info.contrast_m[0]


@pytest.mark.parametrize(
    ("share", "does", "does_not", "said"),
    [(1.0, "repair", "sparse", "sparse scan"), (0.0, "sparse", "repair", "bad tip")],
)
def test_a_model_of_one_task_says_so_and_is_not_offered_for_the_other(models, share, does, does_not, said):
    info, lines = trained(models, repair_share=share, steps=1)
    assert info.tasks == (does,)
    assert library.resolve("regression-tiny", does).name == "regression-tiny"
    with pytest.raises(RequestError, match=f"does not do the task {does_not}"):
        library.resolve("regression-tiny", does_not)
    assert library.resolve("regression", does_not).name != "regression-tiny"
    assert f"alone; it never saw a {said}" in (models / "regression-tiny.md").read_text()
    assert all(does in key for line in lines if line.kind == "validation" for key in line.values)


def test_a_pixel_size_given_by_hand_is_in_the_card(models, scans):
    info, _ = trained(models, source=str(scans), image_pixel_m=0.098e-9, steps=1)
    assert "- Pixel size of images without one: 0.098 nm, by hand\n" in (models / "regression-tiny.md").read_text()
    assert info.pixels_m[0] == pytest.approx(0.1e-9)  # these know theirs


def test_it_cannot_be_resumed_with_another_task(models):
    with pytest.raises(Cancelled):
        trained(models, tiny.stopping_after(0.5), steps=6, repair_share=1.0)
    with pytest.raises(FileError, match="other settings"):
        trained(models, resume=True, steps=6)


def test_a_list_of_scans_is_all_that_is_used(models, scans):
    trained(models, source=str(scans), listed=("b.gwy",))
    assert "1 scan in the folder" in (models / "regression-tiny.md").read_text()


def test_scans_that_are_only_validated_on(models, scans, tmp_path):
    save(tmp_path / "others" / "c.gwy", lattice(140, 140, seed=7))
    _, lines = trained(models, source=str(scans), validation=tmp_path / "others")
    names = {k for line in lines if line.kind == "validation" for k in line.values}
    assert {"real sparse model", "real sparse start"} <= names
    assert "2 scans in the folder scans" in (models / "regression-tiny.md").read_text()


@pytest.mark.parametrize(
    ("from_scans", "start", "expected"),
    [
        (False, "MIT", "MIT"),
        (False, "GPL-3.0", "GPL-3.0"),
        (True, "MIT", "that of the scans it was trained on"),
        (True, "that of the scans it was trained on", "that of the scans it was trained on"),
        (True, "GPL-3.0", "that of the scans it was trained on, and GPL-3.0"),
    ],
)
def test_a_model_inherits_the_licence_of_the_weights_it_started_from(models, scans, from_scans, start, expected):
    put(models, "regression-first", start)
    source = str(scans) if from_scans else "simulated:si001h"
    info, _ = trained(models, source=source, start_from="regression-first", steps=1)
    assert info.licence == expected
    assert f"- Licence: {expected}\n" in (models / "regression-tiny.md").read_text()
    assert {i.name: i for i in library.model_infos()}["regression-tiny"].licence == expected


def test_a_source_that_cannot_be_trained_on_leaves_nothing_behind(models, tmp_path):
    for source in (str(tmp_path / "gone"), "simulated:graphene"):
        with pytest.raises((FileError, RequestError)):
            trained(models, source=source)
    assert not list(models.glob("*.training"))


def test_a_library_that_cannot_be_made_is_an_error_that_names_it(tmp_path):
    file = tmp_path / "file"
    file.write_text("in the way")
    with pytest.raises(FileError, match="cannot be made") as caught:
        trained(file / "models")
    assert caught.value.path.is_relative_to(file)
    with pytest.raises(FileError, match="cannot be made"):
        trained(file)


def test_cancelling_while_surfaces_are_made_leaves_no_training(models):
    progress = tiny.stopping_after(0)
    with pytest.raises(Cancelled):
        trained(models, progress)
    assert not list(models.glob("*.training"))
