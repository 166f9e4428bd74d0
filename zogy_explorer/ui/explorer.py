"""`ZogyExplorer`: the page as a Panel object, for notebooks, ``.servable()`` and ``pn.serve``."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any

import panel as pn
from panel.viewable import Viewable, Viewer

from zogy_explorer.diagnostics import Explanation
from zogy_explorer.engine import CellResult, Difference, ZogyConfig
from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure
from zogy_explorer.ui.connection import say_when_lost
from zogy_explorer.ui.couriers import current_courier
from zogy_explorer.ui.head_start import while_scripts_load
from zogy_explorer.ui.housekeeping import housekeeping
from zogy_explorer.ui.late_scripts import load_late
from zogy_explorer.ui.live import Painter
from zogy_explorer.ui.loading import pair_of_exposures
from zogy_explorer.ui.location import Address, open_search
from zogy_explorer.ui.notebook import NotebookOutputs, notebook_courier
from zogy_explorer.ui.page import Page, empty_view
from zogy_explorer.ui.presenting import first_look, present
from zogy_explorer.ui.samples import FIELD, check_name
from zogy_explorer.ui.serving import served_document
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.session_file import SessionSpec
from zogy_explorer.ui.waiting import settled

TITLE = "ZOGY Explorer"

_KEPT = "; its address keeps the settings and the view, and the pair unless it was uploaded."

Source = Exposure | str | Path | None

# Once a process: which of Panel's bundles the page needs. A notebook gets them with the output,
# a served page from its own server; neither asks a CDN.
pn.extension("tabulator", "filedropper", inline="ipykernel" in sys.modules)


class ZogyExplorer(Viewer):
    """A pair and its subtraction on one live page.

    Parameters
    ----------
    science, template
        Exposures, or paths of FITS files; neither: the sample pair.
    config
        Settings to start with; ``ZogyConfig(doSpatialGrid=True)`` by default. It is live: what
        you set on ``explorer.config`` is computed and shown.
    dark
        Theme at the start.
    root
        Folder that the page may open files from, and that relative paths start from; None:
        anywhere.
    state
        A saved session to go on with, in place of a pair.
    sample
        Simulated pair to open if no images are given: one of `ui.samples.TITLES`.

    Raises
    ------
    InputError
        If only one of science and template is given, or there is no such sample.

    Notes
    -----
    Subtractions run in the background. A cell of a notebook that needs the result of what was
    set before waits for it with ``await explorer.ready()``.

    Examples
    --------
    >>> ZogyExplorer("science.fits", "template.fits").servable()  # doctest: +SKIP

    In a notebook:

    >>> explorer.config.maxPsfCentroidDist = 0.5  # doctest: +SKIP
    >>> (await explorer.ready()).diff.image.std()  # doctest: +SKIP
    """

    def __init__(
        self,
        science: Source = None,
        template: Source = None,
        config: ZogyConfig | None = None,
        *,
        dark: bool = True,
        root: Path | None = None,
        state: SessionSpec | None = None,
        sample: str = FIELD,
        **params: Any,
    ) -> None:
        if (science is None) != (template is None):
            missing = "science" if science is None else "template"
            raise InputError(f"no {missing} image was given: ZOGY Explorer needs both, or neither")
        check_name(sample)
        super().__init__(**params)
        document = served_document()
        served = document is not None
        if document is not None:
            housekeeping().page_opens(document)  # first: what is there now is never searched again
        courier = None if served else notebook_courier()
        self.session = Session(config, root=root, courier=courier)
        self.session.present, self.session.first_look = present, first_look
        self._sample = sample
        self._painter = Painter(courier or current_courier(), self.session.report)
        self._address = Address(self.session, self._painter.ask)
        self._view = empty_view(dark=dark, full_window=served)
        self._page: Page | None = None
        self._start(science, template, state)  # the pair is opened while the views are made
        make = functools.partial(
            Page,
            self.session,
            dark=dark,
            full_window=served,
            courier=courier,
            painter=self._painter,
            view=self._view,
        )
        if document is not None:
            load_late(document)
            say_when_lost(document, _KEPT)
            pn.state.on_session_destroyed(lambda context: self._close())
            while_scripts_load(document, lambda: self._put(make()))
        else:
            self._put(make())
        self._outputs = NotebookOutputs(self._view, courier) if courier is not None else None

    def _put(self, page: Page) -> None:
        self._page = page

    def _close(self) -> None:
        """The browser has gone, perhaps before there were views."""
        closing = self._page or self.session
        closing.close()
        housekeeping().page_closes()

    @property
    def page(self) -> Page:
        """The views; when served, they come while the browser loads its scripts.

        Raises
        ------
        InputError
            If they are not there yet.
        """
        if self._page is None:
            raise InputError("the page is still being made: use it when its pair is on screen")
        return self._page

    def _start(self, science: Source, template: Source, state: SessionSpec | None) -> None:
        """Open what the address says, else the saved session, else the pair."""

        def given() -> None:
            if state is not None:
                self.session.open_session(state)
            else:
                self._open(science, template)

        search = self._address.attach()
        if search:
            # The same program makes the same pair again when its page is loaded anew.
            own = None
            if isinstance(science, Exposure) and isinstance(template, Exposure):
                own = pair_of_exposures(science, template)
            open_search(self.session, search, given, own)
        else:
            given()

    def _open(self, science: Source, template: Source) -> None:
        if science is None or template is None:
            self.session.open_sample(self._sample)
        elif isinstance(science, Exposure) and isinstance(template, Exposure):
            self.session.open_exposures(science, template)
        elif isinstance(science, str | Path) and isinstance(template, str | Path):
            self.session.open_paths(str(science), str(template))
        else:
            raise InputError(
                f"science is a {type(science).__name__} and template a {type(template).__name__}: "
                "give two Exposures or two paths"
            )

    @property
    def config(self) -> ZogyConfig:
        """The settings; changing a field changes the page."""
        config: ZogyConfig = self.session.config
        return config

    @property
    def result(self) -> Difference | None:
        """The newest finished subtraction, or None before the first."""
        return self.session.frame.difference if self.session.frame is not None else None

    async def ready(self, timeout: float = 300.0) -> Difference:
        """Wait until the newest pair and settings are subtracted and shown.

        Parameters
        ----------
        timeout
            How long to wait at most [s].

        Returns
        -------
        difference
            What `result` then is.

        Raises
        ------
        InputError
            If the pair could not be opened, the subtraction failed or was cancelled, or is not
            done in time.
        """
        return await settled(self.session, timeout)

    @property
    def cell(self) -> CellResult | None:
        """The selected cell's newest result."""
        return self.session.cell

    def explain(self, x: float, y: float) -> Explanation:
        """Why D is not zero at a position, as `diagnostics.explain` says it; the page shows it.

        Raises
        ------
        InputError
            If nothing was subtracted yet, or the position is off the frame.
        """
        explanation = self.session.studies.explaining.answer(x, y)
        self.page.inspector.front("Explain")
        return explanation

    def ipywidget(self) -> Any:
        """The page as an ipywidget, for notebooks that show those but no output of Panel's.

        Raises
        ------
        InputError
            Outside a notebook, or without jupyter_bokeh.
        """
        if self._outputs is None:
            raise InputError("there is no notebook here to show an ipywidget in")
        try:
            return self._outputs.open().widget()
        except ImportError as error:
            raise InputError(
                f"{error.name} is missing: pip install 'zogy-explorer[jupyter]'"
            ) from error

    def servable(self, title: str | None = None, **kwargs: Any) -> Viewer:
        """Add the page to the document being served."""
        return super().servable(title=title or TITLE, **kwargs)

    def __panel__(self) -> Viewable:
        return self._view if self._outputs is None else self._outputs.open()
