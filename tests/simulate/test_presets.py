import json

import numpy as np
import pytest

from stmviewer.scan import RequestError
from stmviewer.simulate import PRESETS, Si001H, degrade
from stmviewer.simulate.degradations import Drift, DullTip, SeveralTips
from stmviewer.simulate.presets import Damage, Preset

PIXEL = 0.08e-9


@pytest.fixture(scope="module")
def surface():
    return Si001H(angle_deg=25, missing_dimers=0.03, dangling_bonds=0.01).make(
        120, 120, PIXEL, np.random.default_rng(0)
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_pairs_are_finite_seeded_and_told_by_their_recipe(preset, surface):
    for seed in range(10):
        first, second = (degrade(surface, preset, np.random.default_rng(seed), pixel_m=PIXEL) for _ in range(2))
        np.testing.assert_array_equal(first.degraded, second.degraded)
        assert json.loads(json.dumps(first.recipe)) == json.loads(json.dumps(second.recipe))
        assert first.clean.shape == first.degraded.shape == surface.shape
        assert np.isfinite(first.degraded).all()
        assert first.recipe["preset"] == preset


@pytest.mark.parametrize("preset", PRESETS)
def test_the_clean_image_is_the_turned_and_cropped_surface(preset, surface):
    seen = set()
    for seed in range(24):
        pair = degrade(surface, preset, np.random.default_rng(seed), pixel_m=PIXEL, crop=(60, 80))
        top, left, rows, columns = pair.recipe["crop"]
        turned = np.rot90(surface, pair.recipe["quarter_turns"])
        for one in pair.recipe["degradations"]:
            if one.pop("name") == "Drift":  # the clean image is what a perfect tip would see at the same places
                turned = Drift(**one).apply(turned, np.random.default_rng(0))
        np.testing.assert_array_equal(pair.clean, turned[top : top + rows, left : left + columns])
        assert pair.degraded.shape == pair.clean.shape == (60, 80)
        seen.add(pair.recipe["quarter_turns"])
    assert seen == {0, 1, 2, 3}


def test_degraded_images_lie_pixel_for_pixel_on_the_clean_ones(surface):
    for seed in range(20):
        pair = degrade(surface, "mild", np.random.default_rng(seed), pixel_m=PIXEL, crop=(96, 96))
        clean, degraded = (z - z.mean() for z in (pair.clean, pair.degraded))
        shifts = {
            (y, x): (clean[8:-8, 8:-8] * degraded[8 + y : 88 + y, 8 + x : 88 + x]).sum()
            for y in range(-2, 3)
            for x in range(-2, 3)
        }
        # a second tip end, a late loop and streaks do move what is seen
        if not {"SeveralTips", "FeedbackLag", "TipSwitching"} & {d["name"] for d in pair.recipe["degradations"]}:
            assert max(shifts, key=shifts.__getitem__) == (0, 0), pair.recipe


def test_images_that_are_not_square_keep_their_shape():
    image = np.random.default_rng(1).normal(size=(40, 60)) * 1e-11
    turns = {
        degrade(image, "reference", np.random.default_rng(seed), pixel_m=PIXEL).recipe["quarter_turns"]
        for seed in range(20)
    }
    assert turns == {0, 2}


def test_reference_is_the_list_of_the_reference_work():
    kinds = [kind.__name__ for _, kind in PRESETS["reference"].before_crop]
    assert kinds == ["MultiTip", "LineMisalignment"]
    assert [kind.__name__ for _, kind in PRESETS["reference"].after_crop] == ["BluntTip"]


def test_at_most_one_tip_is_chosen_and_as_often_as_asked():
    preset: Preset = PRESETS["realistic"]
    rng = np.random.default_rng(2)
    names = [[type(d).__name__ for d in preset.draw(rng, PIXEL).before_crop] for _ in range(3000)]
    for chance, kind in preset.tips:
        share = np.mean([bool(drawn) and drawn[0] == kind.__name__ for drawn in names])
        assert share == pytest.approx(chance, abs=0.03)
    assert max(sum(n in ("SeveralTips", "MultiTip", "DullTip") for n in drawn) for drawn in names) == 1


def test_a_crop_sees_no_mirrored_edges_where_the_image_is_large_enough():
    """Degrading a crop with its surroundings equals degrading the whole image: nothing comes from beyond its edges."""
    image = np.random.default_rng(3).normal(size=(300, 300)) * 1e-11
    for seed in range(6):
        draw = np.random.default_rng(seed)
        damage = Damage((SeveralTips.draw(draw, PIXEL), DullTip.draw(draw, PIXEL)))
        cut = 150 - 24 - damage.margin_px
        pair, whole = (
            degrade(part, "none", np.random.default_rng(0), pixel_m=PIXEL, crop=(48, 48), rotate=False, damage=damage)
            for part in (image[cut:-cut, cut:-cut], image)
        )
        top, left, *_ = whole.recipe["crop"]
        assert pair.recipe["crop"][:2] == [damage.margin_px] * 2
        elsewhere = degrade(image, "none", np.random.default_rng(0), pixel_m=PIXEL, rotate=False, damage=damage)
        np.testing.assert_allclose(pair.degraded, elsewhere.degraded[126:174, 126:174], atol=3e-13)
        np.testing.assert_array_equal(whole.degraded, elsewhere.degraded[top : top + 48, left : left + 48])


def test_severe_hurts_more_than_mild(surface):
    def error(preset):
        pairs = (degrade(surface, preset, np.random.default_rng(s), pixel_m=PIXEL) for s in range(40))
        return np.median([(p.degraded - p.clean - (p.degraded - p.clean).mean()).std() for p in pairs])

    assert error("mild") < error("realistic") < error("severe")


def test_unknown_presets_and_too_large_crops_are_refused(surface):
    with pytest.raises(RequestError, match=r"'awful'.*reference, mild, realistic, severe"):
        degrade(surface, "awful", np.random.default_rng(0), pixel_m=PIXEL)
    with pytest.raises(RequestError, match="does not fit"):
        degrade(surface, "mild", np.random.default_rng(0), pixel_m=PIXEL, crop=(121, 10))
