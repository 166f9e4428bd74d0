"""`RegionStudy`: a region file is read, and put on each new pair, off the page's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zogy_explorer.engine.cancel import CancelToken
from zogy_explorer.ui.imported import ImportedRegions, import_regions
from zogy_explorer.ui.live import Progress
from zogy_explorer.ui.studies.study import Study

if TYPE_CHECKING:
    from zogy_explorer.ui.session import Session


class RegionStudy(Study):
    """Where the regions of a dropped file lie on the pair that is on screen.

    A file is read once. What it draws on the sky is put on whatever pair comes next, as long as
    some of it lies there; the answer is ``session.imported``.

    Parameters
    ----------
    session
        Whose pair they are marked on.
    """

    def __init__(self, session: Session) -> None:
        # Not cancelled by the next file: a bad one is told of all the same.
        super().__init__(session, cancel_running=False)
        self._newest: object = None  # the file that is being read
        self._fault = ""  # what the last file that was refused was told
        session.param.watch(lambda event: self._follow(), "frame")

    def mark(self, content: bytes, name: str) -> None:
        """Mark the regions of a dropped file; a fault is one sentence on the page."""
        pair = self._session.pair
        this = self._newest = object()

        def work(token: CancelToken, progress: Progress) -> ImportedRegions:
            return import_regions(content, name, pair)

        def land(imported: ImportedRegions) -> None:
            self._done(this)
            if self._fault and self._session.alert == self._fault:
                self._session.alert = ""
            self._session.imported = imported
            self._session.say("info", imported.summary)
            self._follow()  # there may be another pair by now

        def failed(error: Exception) -> None:
            self._done(this)
            self._session.report(error)
            self._fault = self._session.alert
            self._follow()

        self._ask(work, land, on_error=failed)

    def _done(self, file: object) -> None:
        if self._newest is file:
            self._newest = None

    def _follow(self) -> None:
        """Put the regions on the pair that is on screen now, unless other ones are on their way."""
        imported, pair = self._session.imported, self._session.pair
        if self._newest is not None or imported is None or pair is None or imported.fits(pair):
            return

        def work(token: CancelToken, progress: Progress) -> ImportedRegions | None:
            return imported.on(pair)

        def land(kept: ImportedRegions | None) -> None:
            if self._session.imported is imported and self._session.pair is pair:
                self._session.imported = kept

        self._ask(work, land, on_error=self._session.report)
