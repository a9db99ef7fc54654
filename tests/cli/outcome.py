"""What a command line gave back."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as strict JSON, which knows no NaN."""

        def refuse(word: str) -> None:
            raise AssertionError(f"{word} is not JSON")

        return json.loads(self.out, parse_constant=refuse)

    def refused(self, *parts: object) -> None:
        """Holds that this is bad input: exit 2, one clear line with these parts on stderr, nothing on stdout."""
        assert self.code == 2, (self.code, self.err)
        assert self.out == ""
        self.one_line(*parts)

    def one_line(self, *parts: object) -> None:
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("stmviewer: ")
        assert "Traceback" not in self.err
        for part in parts:
            assert str(part) in self.err

    def done(self) -> "Outcome":
        """Holds that it worked and had nothing to say against it."""
        assert self.code == 0, self.err
        assert self.err == ""
        return self
