"""The export menu: makes a product off the page's thread and hands it over."""

from __future__ import annotations

import functools
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import panel as pn

from zogy_explorer.engine.cancel import CancelToken
from zogy_explorer.errors import InputError
from zogy_explorer.ui.couriers import current_courier
from zogy_explorer.ui.downloads import Downloads
from zogy_explorer.ui.exports import EXPORTS, Export, Snapshot
from zogy_explorer.ui.live import Job, Lane, Progress
from zogy_explorer.ui.picture import picture_order
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.session_file import spec_of
from zogy_explorer.ui.wall import ImageWall

TITLE = "Export …"
PICTURE = "png"
"""Key of the picture of the wall, which the browser makes of what it shows."""


@functools.cache
def export_pool() -> Executor:
    """The one thread of the process in which products are written."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="export")


class ExportMenu:
    """Menu of the products of a session.

    Parameters
    ----------
    session
        Whose.
    wall
        The images on the page.
    """

    def __init__(self, session: Session, wall: ImageWall) -> None:
        self._session = session
        self._lane = Lane(export_pool)
        self.downloads = Downloads()
        # A native choice: the menu of a button takes none of the page's colours.
        self.menu = pn.widgets.Select(
            options={
                TITLE: "",
                **{kind.label: key for key, kind in EXPORTS.items()},
                "Picture of the images (PNG)": PICTURE,
            },
            value="",
            width=96,
            margin=(0, 0, 0, 6),
        )
        self.menu.param.watch(self._chosen, "value")
        self._wall = wall

    def close(self) -> None:
        """The page has gone."""
        self._lane.close()
        self.downloads.close()

    def _chosen(self, event: Any) -> None:
        if not event.new:
            return
        self.menu.value = ""
        if event.new in EXPORTS:
            self.export(event.new)
        elif event.new == PICTURE:
            order = picture_order(self._session, self._wall)
            self.downloads.hand_over_picture(order, "zogy_wall.png")

    def export(self, key: str) -> None:
        """Make a product of what is on the page now, and hand it over."""
        session = self._session
        try:
            spec = spec_of(session)
        except InputError as error:
            session.report(error)
            return
        assert session.frame is not None
        injected = len(session.studies.injecting.sources)
        kind, snapshot = EXPORTS[key], Snapshot(session.frame, spec, injected)
        session.say("info", f"exporting {kind.label}")
        if injected:
            advice = "The picture (PNG) shows them; inject() puts them into a pair from Python."
            session.say("warning", f"{snapshot.without()}.", advice)
        self._lane.submit(
            Job(
                functools.partial(self._make, kind, snapshot),
                self._hand_over,
                session.report,
                courier=current_courier(),
            )
        )

    def _make(
        self, kind: Export, snapshot: Snapshot, token: CancelToken, progress: Progress
    ) -> Path:
        path = self.downloads.shelf.new_place(kind.file_name(snapshot))
        kind.write(snapshot, path)
        return path

    def _hand_over(self, path: Path) -> None:
        self.downloads.hand_over(path)
        self._session.say("info", f"exported {path.name}")
