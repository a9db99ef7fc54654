"""What a user says about an image without size or unit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stmviewer.files import open_scan
from stmviewer.files.calibration import Calibration, all_calibrated, calibrated, filled_in, key_of, of_facts
from stmviewer.scan import Channel, Geometry, RequestError, Scan

from .made_scans import plain_scan

IMAGE = np.arange(12.0).reshape(3, 4)


def bare(unit: str = "") -> Scan:
    return plain_scan(
        IMAGE,
        unit=unit,
        geometry=Geometry.of_pixels(3, 4),
        notes=("the size is unknown; lengths are in pixels", "other"),
    )


def test_pixel_size_and_unit_become_geometry_and_si_values() -> None:
    scan = calibrated(bare(), Calibration(pixel_nm=(0.1, 0.2), unit="pm", scale=4.0))
    assert scan.geometry.calibrated
    assert (scan.geometry.width, scan.geometry.height) == (pytest.approx(0.4e-9), pytest.approx(0.6e-9))
    assert scan.geometry.shape == (3, 4)
    channel = scan.channel()
    assert channel.unit == "m"
    np.testing.assert_allclose(channel.data, IMAGE * 4e-12, rtol=1e-15)
    assert scan.notes[0] == "the file has no size: the pixel size of 0.1 x 0.2 nm was given by hand"
    assert "4 pm a step" in scan.notes[1]
    assert scan.notes[2] == "other"
    assert scan.calibration == {"said_by": "user", "pixel_nm": (0.1, 0.2), "unit": "pm", "scale": 4.0}
    assert scan.origin() == {"calibration": scan.calibration}


def test_a_whole_size_is_of_the_whole_image() -> None:
    scan = calibrated(bare(), Calibration(size_nm=(50, 25)))
    assert (scan.geometry.width, scan.geometry.height) == (pytest.approx(50e-9), pytest.approx(25e-9))
    assert scan.channel().unit == ""


def test_data_are_read_when_asked_for_and_masks_stay() -> None:
    def fail() -> np.ndarray:
        raise AssertionError("read too early")

    channels = [Channel("Height", "", fail), Channel("Height", "", IMAGE > 3, role="mask")]
    scan = calibrated(replace(bare(), channels=channels), Calibration(pixel_nm=(1, 1), unit="nm"))
    assert [c.unit for c in scan.channels] == ["m", ""]
    np.testing.assert_array_equal(scan.channels[1].data, IMAGE > 3)


def test_what_a_file_says_itself_is_not_overruled() -> None:
    sized = plain_scan(IMAGE)
    with pytest.raises(RequestError, match=r"says its size itself \(4 x 3 pixels, 4 x 3 nm\)"):
        calibrated(sized, Calibration(pixel_nm=(1, 1)))
    with pytest.raises(RequestError, match=r"have a unit \(m\)"):
        calibrated(bare("m"), Calibration(pixel_nm=(1, 1), unit="nm"))
    assert filled_in(sized, Calibration(pixel_nm=(1, 1), unit="nm")) is sized
    mixed = filled_in(bare("A"), Calibration(pixel_nm=(1, 1), unit="nm"))
    assert (mixed.channel().unit, mixed.geometry.calibrated) == ("A", True)
    assert mixed.calibration == {"said_by": "user", "pixel_nm": (1, 1)}


def test_of_several_scans_those_get_it_that_lack_it() -> None:
    sized = plain_scan(IMAGE)
    one, other = all_calibrated((sized, bare()), Calibration(pixel_nm=(1, 1)))
    assert one is sized
    assert other.geometry.calibrated
    with pytest.raises(RequestError, match="says its size itself"):
        all_calibrated((sized, sized), Calibration(pixel_nm=(1, 1)))
    with pytest.raises(RequestError, match="have a unit"):
        all_calibrated((bare("m"),), Calibration(unit="nm"))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"pixel_nm": (0, 1)}, "pixel size"),
        ({"pixel_nm": (np.nan, 1)}, "pixel size"),
        ({"size_nm": (-5, 5)}, "size"),
        ({"size_nm": (1e10, 5)}, "size"),
        ({"pixel_nm": (1, 1), "size_nm": (1, 1)}, "not both"),
        ({"scale": 2.0}, "needs the unit"),
        ({"unit": "nm", "scale": 0.0}, "zero"),
        ({"unit": "nm", "scale": np.inf}, "value scale"),
        ({"unit": "5 nm"}, "not a unit"),
    ],
)
def test_what_no_image_can_have(said: dict[str, object], why: str) -> None:
    with pytest.raises(RequestError, match=why):
        Calibration(**said)  # type: ignore[arg-type]


def test_it_is_remembered_and_repeated() -> None:
    for said in (
        Calibration(pixel_nm=(0.1, 0.25), unit="nm", scale=-0.5),
        Calibration(size_nm=(50, 50)),
        Calibration(unit="pA"),
    ):
        assert Calibration.from_json(said.to_json()) == said
        assert of_facts(calibrated(bare(), said).calibration) == said
    assert Calibration(pixel_nm=(0.1, 0.2), unit="nm", scale=-2.0).flags() == [
        "--pixel-nm",
        "0.1x0.2",
        "--unit",
        "nm",
        "--value-scale=-2.0",
    ]
    assert not Calibration()
    assert of_facts(None) is None
    for spoilt in ("", "[]", '{"pixel_nm": 3}', '{"pixel_nm": [0, 1]}', '{"unit": "nm", "scale": "x"}', "null"):
        assert Calibration.from_json(spoilt) is None
    assert key_of(Path("/a/b.png"), True) == key_of(Path("/a/c.png"), True) != key_of(Path("/a/b.png"), False)


def test_it_serves_every_plain_format(tmp_path: Path) -> None:
    import tifffile
    from PIL import Image

    np.save(tmp_path / "a.npy", IMAGE)
    np.savez(tmp_path / "a.npz", raw=IMAGE)
    tifffile.imwrite(tmp_path / "a.tif", IMAGE.astype(np.float32))
    Image.fromarray(IMAGE.astype(np.uint8)).save(tmp_path / "a.png")
    for path in sorted(tmp_path.iterdir()):
        scan = calibrated(open_scan(path), Calibration(pixel_nm=(0.5, 0.5), unit="nm"))
        assert scan.geometry.width == pytest.approx(2e-9), path
        np.testing.assert_allclose(scan.channel().data, IMAGE * 1e-9, rtol=1e-6)
