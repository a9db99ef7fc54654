import contextlib
import io
import json
import math
import signal
import sys
import threading

import pytest

from stmviewer.cli.console import Console, duration, quantity, to_json
from stmviewer.scan import Cancelled


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (136e-12, "m", "136 pm"),
        (-1.5e-9, "m", "-1.5 nm"),
        (5e-6, "m", "5 µm"),
        (0.25, "V", "250 mV"),
        (-2, "V", "-2 V"),
        (50e-12, "A", "50 pA"),
        (0.9999e-9, "m", "1 nm"),
        (999.4e-12, "m", "999 pm"),
        (1e-18, "m", "0.001 fm"),
        (3.2e4, "Hz", "32 kHz"),
        (0, "m", "0 m"),
        (12.3456, "", "12.3"),
        (math.nan, "m", "none"),
        (math.inf, "m", "none"),
    ],
)
def test_quantities_have_si_prefixes(value, unit, text):
    assert quantity(value, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (12.4, "12 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (3599.7, "1 h 0 min")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_json_is_strict_and_ascii():
    text = to_json({"a": [math.nan, math.inf, 1.5, {"b": -math.inf}], 3: ("µm", None, True)})
    assert text.isascii()
    assert json.loads(text) == {"a": [None, None, 1.5, {"b": None}], "3": ["µm", None, True]}


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_that_is_written_over_and_cleared(monkeypatch):
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Console() as console:
        console.prefix = "scan.sxm: "
        part = console.progress().part(1.0, "Restoring", 2)
        part.tick()
        console.say("a message")
        part.tick()
    shown = terminal.getvalue()
    assert "\rscan.sxm: Restoring 50 %" in shown
    assert "\rscan.sxm: Restoring 100 %" in shown
    assert "a message\n" in shown
    assert shown.endswith("\r")  # cleared
    assert all(len(line) <= 111 for line in shown.replace("\n", "\r").split("\r"))


def test_without_a_terminal_there_is_no_progress_to_see(monkeypatch):
    plain = io.StringIO()
    monkeypatch.setattr(sys, "stderr", plain)
    with Console() as console:
        console.progress().part(1.0, "Restoring", 2).tick()
    assert plain.getvalue() == ""


def test_ctrl_c_stops_at_the_next_step_and_twice_at_once():
    before = signal.getsignal(signal.SIGINT)
    with Console() as console:
        progress = console.progress()
        progress.tick(0)
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(Cancelled):
            progress.tick(0)
        with pytest.raises(Cancelled):
            console.progress().tick(0)  # nor is anything begun
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_being_asked_to_end_is_being_stopped():
    before = signal.getsignal(signal.SIGTERM)
    with Console() as console:
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Cancelled):
            console.progress().tick(0)
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_torchrun_passes_on_is_not_a_second_time(monkeypatch):
    now = [10.0]
    monkeypatch.setattr("stmviewer.cli.console.time.monotonic", lambda: now[0])
    with Console(echo_s=3.0) as console:
        signal.raise_signal(signal.SIGTERM)
        now[0] = 11.0
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Cancelled):
            console.progress().check()
        now[0] = 13.5
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)


def test_a_signal_after_a_stop_by_other_means_is_not_a_second_time():
    with Console() as console:
        console.stop()
        signal.raise_signal(signal.SIGTERM)  # by a window that grew impatient: what is being written is written
        with pytest.raises(Cancelled):
            console.progress().check()


def test_while_modules_are_loaded_a_stop_is_heard_at_once():
    with Console() as console, pytest.raises(Cancelled), console.loading():
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("went on")
    with Console() as console:
        asked = threading.Thread(target=console.stop)
        with pytest.raises(Cancelled), console.loading():
            asked.start()
            asked.join()
            while True:  # a loop without steps
                pass


def test_a_stop_before_or_after_loading_is_no_less_of_one():
    with Console() as console:
        console.stop()
        with pytest.raises(Cancelled), console.loading():
            raise AssertionError("loaded")
    # as libraries do around what is optional
    with Console() as console, pytest.raises(Cancelled), console.loading(), contextlib.suppress(Exception):
        signal.raise_signal(signal.SIGINT)
    with Console() as console:
        with console.loading():
            pass
        signal.raise_signal(signal.SIGINT)  # afterwards it is heard at the next step again
        with pytest.raises(Cancelled):
            console.progress().check()
