import threading

import numpy as np
import pytest

from stmviewer.files import open_scan
from stmviewer.scan import Cancelled, FileError, Progress, RequestError
from stmviewer.services.simulating import SimulateRequest, Simulator


def simulator(**changed) -> Simulator:
    request = SimulateRequest(**({"surface": "si001h", "rows": 40, "columns": 48} | changed))
    return Simulator(request, Progress())


def test_pairs_do_not_depend_on_the_order_they_are_made_in():
    one, other = simulator(seed=3), simulator(seed=3, count=5)
    first = [one.pair(k) for k in range(3)]
    for k in reversed(range(3)):
        np.testing.assert_array_equal(other.pair(k).degraded, first[k].degraded)
        np.testing.assert_array_equal(other.pair(k).backward, first[k].backward)


def test_a_run_is_cancelled_between_two_pairs(tmp_path):
    stop = threading.Event()
    progress = Progress(stop=stop)
    pairs = simulator(count=5).save_all(tmp_path, "npz", progress)
    first = next(pairs)
    stop.set()
    with pytest.raises(Cancelled):
        next(pairs)
    assert [p.name for p in tmp_path.glob("*.npz")] == [first.name]


def test_a_series_does_not_write_over_its_sxm_files(tmp_path):
    list(simulator().save_all(tmp_path, "sxm", Progress()))
    with pytest.raises(FileError, match="never written over"):
        list(simulator().save_all(tmp_path, "sxm", Progress()))


def test_what_is_not_there(tmp_path):
    with pytest.raises(RequestError, match=r"'cheese' is unknown, nor is it a file; there are .*si001h"):
        simulator(surface="cheese")
    with pytest.raises(RequestError, match="1 pair or more"):
        simulator(count=0)
    with pytest.raises(FileError, match="no scan in this folder"):
        simulator(surface=str(tmp_path))
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(FileError, match=r"text\.png"):
        simulator(surface=str(tmp_path / "text.png"))


@pytest.mark.real_data
def test_a_scan_of_a_microscope_is_a_surface(real_data):
    file = real_data / "scans/fairmat-pynxtools-stm/Au_mica_2023_Y_A_099.sxm"
    pair = simulator(surface=str(file), preset="mild").pair(0)
    own = open_scan(file)
    assert pair.pixel_m == pytest.approx(own.geometry.pixel_width * pair.recipe["surface"]["factor"])
    assert pair.recipe["surface"]["calibrated"] is True
    level = own.channel().data - np.nanmedian(own.channel().data)
    assert 0.02 < pair.clean.std() / level.std() < 3
    assert np.isfinite(pair.degraded).all()
