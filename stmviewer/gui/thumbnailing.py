"""Thumbnails of the files in the list: made by a worker of their own, asked for again when the channel changes."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPen, QPixmap

from stmviewer.gui.colours import heights
from stmviewer.gui.shown import ChannelWish
from stmviewer.gui.worker import JobDesk
from stmviewer.scan import Channel
from stmviewer.services import events
from stmviewer.services.jobs import Job
from stmviewer.services.thumbnails import ThumbnailRequest

#: pixels of an icon, in units that do not depend on the screen; twice as many are made, for fine screens
ICON_SIDE = 44
JobMaker = Callable[[Sequence[Path], ThumbnailRequest], Job]


class Thumbnailer(QObject):
    """Asks for the thumbnails of a list of files; `ready` gives each as an events.Thumbnail, `done` says that all have
    come. Late ones are dropped."""

    ready = Signal(object)
    done = Signal()

    def __init__(self, desk: JobDesk, make_job: JobMaker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_job = make_job
        self._lane = desk.lane(desk.thumbnails, self._on_event)
        self._asked: tuple[tuple[Path, ...], ThumbnailRequest] | None = None
        #: a file alone needs none, unless it stands in a list that will grow
        self.alone_too = False

    def show_files(self, files: tuple[Path, ...], channel: Channel | ChannelWish | None) -> None:
        """Thumbnails of `files`, of `channel` where they have it; does nothing where these were asked for before."""
        named = channel is not None and channel.role == "raw"
        request = ThumbnailRequest(
            2 * ICON_SIDE,
            channel.name if channel is not None and named else None,
            channel.direction if channel is not None and named else None,
        )
        if self._asked is not None and (sorted(files), request) == (sorted(self._asked[0]), self._asked[1]):
            return  # in another order, perhaps
        self._asked = files, request
        if len(files) > 1 or self.alone_too:
            self._lane.start("Thumbnails", self._make_job(files, request))
        else:
            self._lane.drop()

    def look_again(self) -> None:
        """Asks for the same once more: files have changed. What has not is in the cache."""
        if self._asked is not None and (len(self._asked[0]) > 1 or self.alone_too):
            self._lane.start("Thumbnails", self._make_job(*self._asked))

    def _on_event(self, event: events.Event) -> None:
        match event:
            case events.Thumbnail():
                self.ready.emit(event)
            case events.Finished():
                self.done.emit()


def picture(thumbnail: events.Thumbnail, gap: QColor) -> QIcon:
    """The icon of a thumbnail in the colours of heights, `gap` where nothing was measured."""
    rows, columns = thumbnail.image.shape
    if not thumbnail.image.size:
        return blank(gap, crossed=True)
    image = QImage(thumbnail.image.tobytes(), columns, rows, columns, QImage.Format.Format_Indexed8)
    image.setColorTable([gap.rgb(), *(QColor(*colour).rgb() for colour in heights()[1:].tolist())])
    pixmap = _ground()
    painter = QPainter(pixmap)
    painter.drawImage((pixmap.width() - columns) // 2, (pixmap.height() - rows) // 2, image)
    painter.end()
    return _icon(pixmap)


def blank(gap: QColor, *, crossed: bool = False) -> QIcon:
    """An icon before its thumbnail comes; crossed out for a file that cannot be shown."""
    pixmap = _ground()
    painter = QPainter(pixmap)
    frame = pixmap.rect().adjusted(2, 2, -3, -3)
    painter.setPen(QPen(gap, 2))
    painter.drawRect(frame)
    if crossed:
        painter.drawLine(frame.topLeft(), frame.bottomRight())
        painter.drawLine(frame.topRight(), frame.bottomLeft())
    painter.end()
    return _icon(pixmap)


def _icon(pixmap: QPixmap) -> QIcon:
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)  # or Qt tints it with the colour of the selection
    return icon


def _ground() -> QPixmap:
    pixmap = QPixmap(2 * ICON_SIDE, 2 * ICON_SIDE)
    pixmap.fill(QColor(0, 0, 0, 0))
    return pixmap
