import os
import threading

import pytest

from stmviewer.train.commands import Commands

#: fails the test, should it not be heard; no measure of speed
PATIENCE_S = 60


@pytest.fixture
def pipe():
    read, write = os.pipe()
    ends = {"read": read, "write": write}
    yield ends
    for fd in ends.values():
        os.close(fd)


class _Heard:
    """What a training is asked for."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.said: list[str] = []
        self.noted = threading.Event()

    def say(self, text: str) -> None:
        self.said.append(text)
        self.noted.set()


def close(pipe) -> None:
    os.close(pipe.pop("write"))


def test_stop_is_heard(pipe):
    heard = _Heard()
    with Commands(pipe["read"], heard.stopped.set, heard.say):
        assert not heard.stopped.is_set()
        os.write(pipe["write"], b"stop\n")
        assert heard.stopped.wait(PATIENCE_S)
    assert not heard.said


@pytest.mark.parametrize("last", [b"", b"sto", b"\n\n"])
def test_a_parent_that_is_gone_is_a_stop(pipe, last):
    heard = _Heard()
    with Commands(pipe["read"], heard.stopped.set, heard.say):
        os.write(pipe["write"], last)
        close(pipe)
        assert heard.stopped.wait(PATIENCE_S)


def test_checkpoints_come_in_their_order_and_once(pipe):
    heard = _Heard()
    with Commands(pipe["read"], heard.stopped.set, heard.say) as commands:
        os.write(pipe["write"], b"checkpoint first one\r\ncheckpoint\ncheckp")
        os.write(pipe["write"], b"oint good-1\r\ncheckpoint ../../away\nplease\n")
        close(pipe)
        assert heard.stopped.wait(PATIENCE_S)
        assert commands.checkpoints() == ["", "good-1"]
        assert commands.checkpoints() == []
    assert len(heard.said) == 3
    assert "first one" in heard.said[0]
    assert "../../away" in heard.said[1]
    assert "'please' is no command" in heard.said[2]


def test_the_thread_ends_though_nobody_writes_or_closes(pipe):
    heard = _Heard()
    with Commands(pipe["read"], heard.stopped.set, heard.say):
        pass
    assert not [t for t in threading.enumerate() if t.name == "stmviewer-commands"]
    assert not heard.stopped.is_set()


def test_a_stream_that_cannot_be_read_is_a_stop(pipe):
    heard = _Heard()
    read = os.dup(pipe["read"])
    os.close(read)
    with Commands(read, heard.stopped.set, heard.say):
        assert heard.stopped.wait(PATIENCE_S)
