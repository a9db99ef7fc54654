import numpy as np
import pytest

from stmviewer.scan import RequestError
from stmviewer.simulate.pairs import make_scene, simulate_scan
from stmviewer.simulate.presets import PRESETS
from stmviewer.simulate.wishes import Wish, catalogue, wished_damage

NAMES = [entry.name for entry in catalogue()]


@pytest.fixture(scope="module")
def scene():
    return make_scene("si001h", 64, 64, 0.1e-9, 4)


def names(damage):
    return [type(one).__name__ for one in (*damage.before_crop, *damage.after_crop)]


def test_the_catalogue_has_what_the_presets_have_and_says_what_it_is():
    there = {
        getattr(kind, "__name__", "")
        for preset in PRESETS.values()
        for part in (preset.tips, preset.before_crop, preset.after_crop)
        for _, kind in part
    }
    assert set(NAMES) == there
    assert len(NAMES) == len(there)
    for entry in catalogue():
        assert len(entry.summary) > 8
        assert entry.part
        assert 0 < max(entry.chances.values()) <= 1
    assert next(e for e in catalogue() if e.name == "BluntTip").chances == {"reference": 0.5}


def test_a_scene_scanned_without_wishes_is_the_simulated_scan(scene):
    pair = simulate_scan("si001h", 64, 64, 0.1e-9, "realistic", 4)
    np.testing.assert_array_equal(scene.scan("realistic").degraded, pair.degraded)
    np.testing.assert_array_equal(scene.scan("realistic").clean, pair.clean)
    assert names(wished_damage(scene, "realistic", {})) == names(scene.draw("realistic"))


def test_nothing_at_all_shows_the_surface(scene):
    damage = wished_damage(scene, "severe", {name: Wish("never") for name in NAMES})
    assert names(damage) == []
    pair = scene.scan("severe", damage)
    np.testing.assert_array_equal(pair.degraded, pair.clean)


@pytest.mark.parametrize("name", NAMES)
def test_every_one_can_be_had_in_every_preset_alone(scene, name):
    wishes = {other: Wish("never") for other in NAMES} | {name: Wish("always", 1.0)}
    for preset in ("reference", "realistic"):
        damage = wished_damage(scene, preset, wishes)
        assert names(damage) == [name]
        assert np.isfinite(scene.scan(preset, damage).degraded).all()


def test_stronger_is_stronger(scene):
    def change(name, strength):
        wishes = {other: Wish("never") for other in NAMES} | {name: Wish("always", strength)}
        pair = scene.scan("realistic", wished_damage(scene, "realistic", wishes))
        return (pair.degraded - pair.clean).std()

    for name in ("WhiteNoise", "LoopNoise", "PlaneTilt", "DullTip", "Scars"):
        weak, middle, strong = (change(name, s) for s in (0.0, 0.5, 1.0))
        assert weak < middle < strong, name


def test_one_wish_leaves_the_others_as_they_are(scene):
    alone = wished_damage(scene, "realistic", {"Scars": Wish("always", 0.3)})
    more = wished_damage(scene, "realistic", {"Scars": Wish("always", 0.3), "Spikes": Wish("always")})
    pick = [next(one for one in d.after_crop if type(one).__name__ == "Scars") for d in (alone, more)]
    assert pick[0] == pick[1]
    assert "Spikes" in names(more)


def test_a_tip_that_is_wished_takes_the_place_of_one_by_chance():
    tips = {getattr(kind, "__name__", "") for _, kind in PRESETS["severe"].tips}
    for seed in range(6):
        scene = make_scene("si001h", 32, 32, 0.1e-9, seed)
        found = [n for n in names(wished_damage(scene, "severe", {"DullTip": Wish("always")})) if n in tips]
        assert found == ["DullTip"]


def test_what_is_not_there_is_refused(scene):
    with pytest.raises(RequestError, match="Coffee"):
        wished_damage(scene, "mild", {"Coffee": Wish("always")})
    with pytest.raises(RequestError, match="nonsense"):
        wished_damage(scene, "nonsense", {})


@pytest.mark.parametrize(("bias", "sign"), [("filled", -1), ("empty", 1)])
def test_the_sign_of_the_bias_can_be_asked_for(bias, sign):
    for seed in range(4):
        assert np.sign(make_scene("si001h", 16, 16, 0.2e-9, seed, bias).surface.bias_v) == sign
