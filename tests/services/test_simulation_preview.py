import json

import numpy as np
import pytest

from stmviewer.files import open_scan
from stmviewer.scan import Cancelled, Progress, RequestError
from stmviewer.services.jobs import Context
from stmviewer.services.simulation_preview import (
    Catalogue,
    SceneKeeper,
    SimulationRequest,
    catalogue_job,
    save_pairs,
)
from stmviewer.simulate import PRESETS, simulate_scan, surface_names
from stmviewer.simulate.wishes import Wish

SMALL = SimulationRequest(columns=48, rows=40, seed=3)


def context():
    return Context(Progress(), lambda _: None)


def test_the_catalogue_is_what_the_simulator_has():
    found = catalogue_job()(context())
    assert isinstance(found, Catalogue)
    assert found.surfaces == tuple(surface_names())
    assert found.presets == tuple(PRESETS)
    assert len(found.degradations) > 15


def test_a_preview_is_the_scan_of_the_command_line():
    made = SceneKeeper().job(SMALL)(context())
    pair = simulate_scan("si001h", 40, 48, 0.1e-9, "realistic", 3)
    np.testing.assert_allclose(made.pair.degraded, pair.degraded, atol=1e-20)
    assert made.scan.channel("Z").data.shape == (40, 48)
    assert made.happened == tuple(d["name"] for d in pair.recipe["degradations"])
    assert made.scan.geometry.width == pytest.approx(4.8e-9)


def test_the_surface_is_kept_while_only_the_damage_changes(monkeypatch):
    from stmviewer.services import simulation_preview as simulating

    made = []
    real = simulating.scene_of
    monkeypatch.setattr(simulating, "scene_of", lambda *a: made.append(a) or real(*a))
    simulator = SceneKeeper()
    first = simulator.job(SMALL)(context())
    wished = SimulationRequest(**{**SMALL.__dict__, "wishes": (("Scars", Wish("always", 1.0)),), "preset": "mild"})
    second = simulator.job(wished)(context())
    assert len(made) == 1
    assert "Scars" in second.happened
    assert not np.array_equal(first.pair.degraded, second.pair.degraded)
    simulator.job(SimulationRequest(columns=48, rows=40, seed=4))(context())
    assert len(made) == 2


@pytest.mark.parametrize("form", ["npz", "gwy", "sxm"])
def test_pairs_in_files_with_their_recipes(tmp_path, form):
    files = save_pairs(SMALL, 2, tmp_path, form, Progress())
    assert len(files) == 2
    for k, path in enumerate(files):
        assert path.suffix == f".{form}"
        recipe = json.loads(path.with_suffix(".json").read_text())
        assert recipe["seed"] == [3, k]
        pair = simulate_scan("si001h", 40, 48, 0.1e-9, "realistic", (3, k))
        scan = open_scan(path)
        np.testing.assert_allclose(scan.channel("Z", "forward").data, pair.degraded, rtol=1e-5, atol=1e-16)
        truth = next(c for c in scan.channels if c.role == "restored" or "pristine" in c.name)
        np.testing.assert_allclose(truth.data, pair.clean, rtol=1e-5, atol=1e-16)


def test_nanonis_files_are_not_written_over(tmp_path):
    first = save_pairs(SMALL, 1, tmp_path, "sxm", Progress())
    second = save_pairs(SMALL, 1, tmp_path, "sxm", Progress())
    assert first != second
    assert first[0].is_file()


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(RequestError, match="1 or more"):
        save_pairs(SMALL, 0, tmp_path, "npz", Progress())
    with pytest.raises(RequestError, match="docx"):
        save_pairs(SMALL, 1, tmp_path, "docx", Progress())
    assert not list(tmp_path.iterdir())


def test_cancelling_leaves_whole_pairs(tmp_path):
    import threading

    stop = threading.Event()

    def report(advance):
        if advance.fraction >= 0.5:
            stop.set()

    with pytest.raises(Cancelled):
        save_pairs(SMALL, 4, tmp_path, "npz", Progress(report, stop))
    assert [p.name for p in sorted(tmp_path.glob("*.npz"))] == [f"si001h-realistic-3-0000{k}.npz" for k in range(2)]
    assert not list(tmp_path.glob("*.part"))
