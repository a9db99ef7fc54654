"""Panes that show the same place.

pyqtgraph's own axis links drift with every resize when the aspect is locked: each view corrects the other. Here the
place is kept apart from the views. A user's drag or wheel changes the place; every view is then set to the place, and
a resize only sets it again, so that nothing can add up.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pyqtgraph as pg

from stmviewer.gui.display import Frame

#: room around the image when all of it is shown
_MARGIN = 1.0
_MOST_OUT = 3.0


@dataclass(frozen=True)
class Place:
    """The centre shown, and the length that the shorter side of a view covers (nm or px)."""

    x: float
    y: float
    extent: float


class LinkedViews:
    """Keeps several ViewBoxes at one place in physical coordinates."""

    def __init__(self) -> None:
        self._views: list[pg.ViewBox] = []
        self._frame: Frame | None = None
        self._pixel = 0.0
        self._place: Place | None = None  # None: the whole frame
        self._setting = False

    def add(self, view: pg.ViewBox) -> None:
        self._views.append(view)
        view.sigRangeChangedManually.connect(lambda _: self._moved(view))
        view.sigResized.connect(lambda _: self._apply([view]))

    def set_frame(self, frame: Frame, pixel: float, *, keep: bool = False) -> None:
        """The frame that 'whole image' means, and its pixel size; `keep` stays at the present place."""
        self._frame, self._pixel = frame, pixel
        if not keep:
            self._place = None
        self._apply(self._views)

    def reset(self) -> None:
        """Shows the whole frame."""
        self._place = None
        self._apply(self._views)

    def zoom(self, factor: float) -> None:
        """Zooms in by `factor` about the centre."""
        if self._views and self._frame is not None:
            place = self._place or self._whole(self._views[0])
            self.go(replace(place, extent=place.extent / factor))

    @property
    def zoomed(self) -> bool:
        return self._place is not None

    def _moved(self, view: pg.ViewBox) -> None:
        if self._setting or self._frame is None:
            return
        rect = view.viewRect()
        self.go(Place(rect.center().x(), rect.center().y(), min(rect.width(), rect.height())))

    def go(self, place: Place) -> None:
        """Takes `place`, kept such that some of the image stays in sight and a pixel does not fill the view."""
        frame = self._frame
        assert frame is not None
        least, most = 3 * self._pixel, _MOST_OUT * max(frame.width, frame.height)
        self._place = Place(
            min(max(place.x, frame.x), frame.x + frame.width),
            min(max(place.y, frame.y), frame.y + frame.height),
            min(max(place.extent, min(least, most)), most),
        )
        self._apply(self._views)

    def _whole(self, view: pg.ViewBox) -> Place:
        frame = self._frame
        assert frame is not None
        width, height = max(view.width(), 1.0), max(view.height(), 1.0)
        per_pixel = max(frame.width / width, frame.height / height) * _MARGIN
        return Place(frame.x + frame.width / 2, frame.y + frame.height / 2, per_pixel * min(width, height))

    def _apply(self, views: Iterable[pg.ViewBox]) -> None:
        if self._frame is None or self._setting:
            return
        self._setting = True
        try:
            for view in views:
                width, height = max(view.width(), 1.0), max(view.height(), 1.0)
                place = self._place or self._whole(view)
                half_x = place.extent * width / min(width, height) / 2
                half_y = place.extent * height / min(width, height) / 2
                view.setRange(
                    xRange=(place.x - half_x, place.x + half_x),
                    yRange=(place.y - half_y, place.y + half_y),
                    padding=0,
                    disableAutoRange=True,
                )
        finally:
            self._setting = False
