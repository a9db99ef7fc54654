import numpy as np
import pytest

from stmviewer.simulate.degradations import DullTip, Scars, TipChange, WhiteNoise
from stmviewer.simulate.presets import PRESETS, Preset
from stmviewer.simulate.ranges import Ranged, parameter_names, ranged

PIXEL = 0.05e-9


def test_parameters_are_log_uniform_in_their_range():
    kind = ranged(WhiteNoise, rms_m=(1e-13, 1e-11))
    rng = np.random.default_rng(0)
    drawn = np.log10([kind.draw(rng, PIXEL).rms_m for _ in range(2000)])
    assert drawn.min() >= -13
    assert drawn.max() <= -11
    np.testing.assert_allclose(np.percentile(drawn, (25, 50, 75)), (-12.5, -12, -11.5), atol=0.08)


def test_the_others_and_the_signs_stay_as_the_class_draws_them():
    kind = ranged(TipChange, jump_m=(1e-12, 2e-12))
    mine, own = ([k.draw(np.random.default_rng(s), PIXEL) for s in range(40)] for k in (kind, TipChange))
    assert [m.where for m in mine] == [o.where for o in own]
    assert [np.sign(m.jump_m) for m in mine] == [np.sign(o.jump_m) for o in own]
    assert all(1e-12 <= abs(m.jump_m) <= 2e-12 for m in mine)
    assert {np.sign(m.jump_m) for m in mine} == {-1, 1}


def test_lengths_in_metres_for_parameters_in_pixels():
    kind = ranged(DullTip, sigma_m=(0.1e-9, 0.1e-9))
    for pixel_m in (0.02e-9, 0.2e-9):
        assert kind.draw(np.random.default_rng(0), pixel_m).sigma_px == pytest.approx(0.1e-9 / pixel_m)
    in_pixels = ranged(Scars, length_px=(7, 7)).draw(np.random.default_rng(0), PIXEL)
    assert in_pixels.length_px == pytest.approx(7)


def test_it_goes_by_the_name_of_its_class():
    assert ranged(Scars, length_px=(1, 2)).__name__ == "Scars"
    damage = Preset(before_crop=((1.0, ranged(Scars, length_px=(9, 9))),)).draw(np.random.default_rng(0), PIXEL)
    assert type(damage.before_crop[0]) is Scars


@pytest.mark.parametrize("ranges", [{"rms": (1, 2)}, {"rms_m": (2, 1)}, {"rms_m": (0, 1)}, {"rms_m": (1, np.inf)}])
def test_ranges_that_make_no_sense(ranges):
    with pytest.raises(ValueError, match="WhiteNoise"):
        ranged(WhiteNoise, **ranges)


def test_the_fitted_preset_stays_broad():
    """Training must not see one laboratory's week alone."""
    entries = [
        kind for part in ("tips", "before_crop", "after_crop") for _, kind in getattr(PRESETS["realistic"], part)
    ]
    fitted = [kind for kind in entries if isinstance(kind, Ranged)]
    assert len(fitted) > 10
    for kind in fitted:
        for name, low, high in kind.ranges:
            least = 2.9 if high == 0.8 else 3.5  # shares end there
            assert high / low > least, (kind.__name__, name)
            assert name in parameter_names(kind.kind) or name.endswith("_m")
