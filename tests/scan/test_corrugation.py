import numpy as np
import pytest

from stmviewer.scan.corrugation import ROW_SPACING_M, Corrugation, agreed_pixels, find_rows
from stmviewer.simulate import Si001H


def image(pixel_m, angle_deg, bias_v=-2.0, side=256, **more):
    rng = np.random.default_rng(1)
    surface = Si001H(angle_deg=angle_deg, bias_v=bias_v, tip_height_m=0.4e-9, **more)
    return surface.make(side, side, pixel_m, rng) + rng.normal(0, 4e-12, (side, side))


@pytest.mark.parametrize("bias_v", [-2.0, 2.0])
@pytest.mark.parametrize(("pixel_nm", "angle_deg"), [(0.014, 30), (0.02, 75), (0.04, 10), (0.08, 120), (0.15, 55)])
def test_the_pixel_size_of_simulated_silicon_is_found(pixel_nm, angle_deg, bias_v):
    rows = find_rows(image(pixel_nm * 1e-9, angle_deg, bias_v))
    assert rows.pixel_m == pytest.approx(pixel_nm * 1e-9, rel=0.05)
    assert rows.strength > 3
    assert rows.period_px == pytest.approx(ROW_SPACING_M / pixel_nm * 1e9, rel=0.05)
    # rows run along angle_deg: their wave vector lies across
    assert abs((rows.angle_deg - angle_deg - 90 + 90) % 180 - 90) < 4


def test_unit_and_offset_do_not_matter():
    z = image(0.05e-9, 40)
    assert find_rows(1e12 * z - 300).period_px == pytest.approx(find_rows(z).period_px, rel=1e-6)


def test_hum_along_the_lines_is_not_taken_for_rows():
    """Lines of one frequency with a phase of their own each, as mains hum leaves them, stronger than the lattice."""
    z = image(0.015e-9, 70)
    phase = np.random.default_rng(2).uniform(0, 2 * np.pi, (256, 1))
    z = z + 20e-12 * np.sin(2 * np.pi * np.arange(256) / 4 + phase)
    assert find_rows(z).pixel_m == pytest.approx(0.015e-9, rel=0.06)


def test_noise_alone_is_not_strong():
    found = [find_rows(np.random.default_rng(k).normal(size=(128, 128))).strength for k in range(5)]
    assert max(found) < 3


def test_images_too_small_to_hold_rows():
    assert find_rows(np.zeros((10, 300))) is None
    assert find_rows(np.zeros((64, 64))) is None


@pytest.mark.real_data
def test_rows_of_real_images_of_one_session_agree(real_data):
    from stmviewer.files import open_scan

    files = sorted((real_data / "si100h" / "pristine").glob("2015Oct30-114657*.png"))[:10]
    found = [find_rows(open_scan(f).channel().data[:256, :256]) for f in files]
    periods = [rows.period_px for rows in found if rows and rows.strength > 3]
    assert len(periods) >= 7
    assert np.median(periods) == pytest.approx(59, abs=4)


def test_sessions_agree_on_the_pixel_size_of_images_that_do_not_show_theirs():
    def rows(period, strength):
        return Corrugation(period, 0.0, strength)

    found = [rows(10, 6), rows(10.4, 5), rows(4, 1), None, rows(40, 3.5), rows(20, 6), rows(21, 3.5), rows(7, 2)]
    sessions = ["a", "a", "a", "a", "a", "b", "b", "c"]
    sizes = agreed_pixels(found, sessions)
    usual = ROW_SPACING_M / 10.4  # the median of a, in which the doubtful image of 40 pixels counts too
    assert sizes[:2] == pytest.approx([ROW_SPACING_M / 10, ROW_SPACING_M / 10.4])
    assert sizes[2:5] == pytest.approx([usual] * 3)
    assert sizes[5:7] == pytest.approx([ROW_SPACING_M / 20, ROW_SPACING_M / 21])
    assert ROW_SPACING_M / 40 < sizes[7] < ROW_SPACING_M / 10  # of no session: the median of all
    assert agreed_pixels([rows(10, 2.9), None], ["a", "b"]) is None
    assert agreed_pixels([], []) is None
