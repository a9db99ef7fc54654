"""Whether a repair keeps the heights of what it shows."""

from collections.abc import Callable

import numpy as np
import pytest

from stmviewer.restore import RestoreRequest, checking
from stmviewer.restore.case import Case
from stmviewer.restore.checks import Check
from stmviewer.restore.kept_heights import height_checks, height_ratio
from stmviewer.restore.pipeline import restore
from stmviewer.scan import FloatArray, Geometry, Mask, Progress, Scan

RNG = np.random.default_rng(0)


def surface(rows: int = 120, columns: int = 140) -> FloatArray:
    y, x = np.mgrid[:rows, :columns]
    result: FloatArray = 30e-12 * (np.cos(0.7 * x + 0.3 * y) + np.cos(0.5 * y)) + 2e-12 * x
    return result


def case_of(image: FloatArray) -> Case:
    return Case(image, Mask(np.isfinite(image), "as measured"), Geometry.of_pixels(*image.shape))


@pytest.mark.parametrize(
    ("factor", "word"),
    [
        (0.5, "2 times as high in the scan: the repair flattens it, or a fault of the scan raised it"),
        (1.6, "the repair raises it, or a fault of the scan flattened it"),
    ],
)
def test_lower_and_higher_repairs_are_told(factor: float, word: str) -> None:
    clean = surface()
    scan = case_of(clean + 5e-12 * RNG.standard_normal(clean.shape) + 40e-12 * RNG.standard_normal((120, 1)))
    (check,) = height_checks(scan, factor * clean)
    assert check.about == "heights"
    assert check.warns
    assert word in check.text


def test_noise_line_offsets_and_tilt_that_were_taken_out_do_not_matter() -> None:
    clean = surface()
    noisy = clean + 15e-12 * RNG.standard_normal(clean.shape) + 80e-12 * RNG.standard_normal((120, 1))
    y = np.mgrid[:120, :140][0]
    assert height_ratio(case_of(noisy + 5e-12 * y), clean) == pytest.approx(1, abs=0.07)
    assert height_checks(case_of(noisy), clean) == []


def test_nothing_is_said_where_they_share_little() -> None:
    clean = surface()
    noise = 30e-12 * RNG.standard_normal(clean.shape)
    assert height_ratio(case_of(noise), clean) is None
    assert height_checks(case_of(clean), np.zeros(clean.shape)) == []
    assert height_checks(case_of(np.zeros(clean.shape)), clean) == []


def test_large_scans_and_pixels_that_were_not_measured() -> None:
    """The middle is enough; what was not measured does not count."""
    clean = surface(300, 600)
    scan = clean.copy()
    scan[150:160, 200:400] = np.nan
    assert height_ratio(case_of(scan), 0.5 * clean) == pytest.approx(2, abs=0.1)


@pytest.mark.usefixtures("tiny_models")
def test_repairs_by_networks_are_asked_for_it_and_others_are_not(
    make_scan: Callable[..., Scan], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Check("heights", "flat", warns=True)
    monkeypatch.setattr(checking, "height_checks", lambda case, mean: [told])
    scan = make_scan(surface())

    def is_told(model: str, check: bool = True) -> bool:
        request = RestoreRequest(task="repair", model=model, device="cpu", check=check)
        return told in restore(scan, request, Progress()).checks

    assert is_told("regression")
    assert not is_told("regression", check=False)
    assert not is_told("tv")
