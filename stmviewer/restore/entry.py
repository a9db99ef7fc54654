"""A learned model on disk: where its weights and its card are."""

from dataclasses import dataclass
from pathlib import Path

from stmviewer.restore.info import ModelInfo


@dataclass(frozen=True)
class Entry:
    """A learned model on disk."""

    info: ModelInfo
    folder: Path
    sha256: str

    @property
    def weights(self) -> Path:
        return self.folder / f"{self.info.name}.safetensors"

    @property
    def card(self) -> Path:
        return self.folder / f"{self.info.name}.md"
