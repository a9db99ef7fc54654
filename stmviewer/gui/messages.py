"""What the info bars of the window say about a scan, its restoration, and what was done."""

from collections.abc import Callable
from pathlib import Path

from stmviewer.files.calibration import lacks_size
from stmviewer.gui import dialogs
from stmviewer.gui.info_bar import InfoArea
from stmviewer.gui.sentences import sentence
from stmviewer.gui.shown import Restored, Shown
from stmviewer.gui.trust import bar_warnings
from stmviewer.scan import Channel
from stmviewer.scan.model import SAME_VALUE
from stmviewer.services.thumbnails import instead_of


class Messages(InfoArea):
    """One bar each for an error, for what was done, for notes on the file, for the warnings of a result, for the offer
    to fill what was not measured, for that to show another channel, and for the user's own notes where they cannot be
    kept."""

    def clear(self) -> None:
        """Before a run: what was said of the last one holds no more."""
        for topic in ("error", "warnings", "done"):
            self.dismiss(topic)

    def leave_scan(self, *, opened: bool) -> None:
        """Another scan has come; where it could not be `opened`, the error says why and stays."""
        for topic in ("warnings", "done", "error") if opened else ("warnings", "done"):
            self.dismiss(topic)

    def complain(self, message: str, details: str = "") -> None:
        self.show_message("error", "error", sentence(message), details=details)

    def tell_done(self, text: str, folder: Path | None = None) -> None:
        """What has been done, with a button for the folder where it lies."""
        show = None if folder is None else ("Show folder", lambda: dialogs.show_folder(folder))
        self.show_message("done", "offer" if show else "note", text, show)

    def tell_notes(self, shown: Shown | None, ask_calibration: Callable[[], None]) -> None:
        """Notes about the file, with a button where its size is not known."""
        self.dismiss("notes")
        if shown is None or not shown.scan.notes:
            return
        mend: tuple[str, Callable[[], None]] | None = None
        if shown.scan.calibration is not None:
            mend = ("Change…", ask_calibration)
        elif lacks_size(shown.scan):
            mend = ("Set size and unit…", ask_calibration)
        self.show_message("notes", "note", sentence("; ".join(shown.scan.notes)), mend)

    def tell_offer(self, shown: Shown | None, take_offer: Callable[[], None]) -> None:
        """The offer to fill what was not measured; None takes it away."""
        self.dismiss("offer")
        offer = shown.offer() if shown is not None else None
        if shown is not None and offer:
            button = "Restore onto square pixels" if shown.line_sparse else "Fill the gaps"
            self.show_message("offer", "offer", offer, (button, take_offer))

    def tell_flat(self, shown: Shown | None, show: Callable[[Channel], None]) -> None:
        """The offer to look at another channel where the one on show is the same everywhere."""
        self.dismiss("flat")
        if shown is None or shown.raw.obstacle != SAME_VALUE:
            return
        other = next(iter(instead_of(shown.raw.scan, shown.raw.channel)), None)
        if other is not None:
            channel = shown.raw.channel
            text = f"{channel.name} is the same everywhere"
            text += ", as in a scan at constant height." if channel.unit == "m" else "."
            self.show_message("flat", "offer", text, (f"Show {other.name}", lambda: show(other)))

    def tell_kept(self, text: str, complains: bool) -> None:
        """What has become of the stars and notes that are kept beside the files; it stays when another scan comes."""
        self.dismiss("kept")
        if text:
            self.show_message("kept", "error" if complains else "note", text)

    def tell_result(self, restored: Restored | None) -> None:
        """What was invented or lost, and what no line beside the result says; all other findings stand there."""
        self.dismiss("warnings")
        warnings = bar_warnings(restored.restoration) if restored is not None else []
        if warnings:
            self.show_message("warnings", "note", ". ".join(map(sentence, warnings)))
