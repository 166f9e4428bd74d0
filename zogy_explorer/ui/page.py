"""The page of one session: where everything stands, and who hears of what.

Layout and wiring only. It makes no use of a template, so the same object is a served page and
the output of a notebook cell.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import panel as pn

from zogy_explorer.ui.browser_care import BrowserCare
from zogy_explorer.ui.compare_bar import CompareBar
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.couriers import current_courier
from zogy_explorer.ui.drawer import DRAWER_HEIGHT, Drawer
from zogy_explorer.ui.export_menu import ExportMenu
from zogy_explorer.ui.header import Header, help_pane
from zogy_explorer.ui.inspector import Inspector
from zogy_explorer.ui.keys import Keys
from zogy_explorer.ui.late_scripts import ROOT
from zogy_explorer.ui.live import Painter
from zogy_explorer.ui.notebook import NotebookCourier
from zogy_explorer.ui.notices import Notices
from zogy_explorer.ui.on_the_wall import OnTheWall
from zogy_explorer.ui.serving import served_document
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.side_bars import SideBars
from zogy_explorer.ui.sidebar import Sidebar
from zogy_explorer.ui.style import ROOT_CSS, SHRINKING_CSS, palette, styled, theme_classes
from zogy_explorer.ui.unfolding import Unfolding
from zogy_explorer.ui.wall import ImageWall

NOTEBOOK_HEIGHT = 860
"""[px] Height of the page in a notebook, where no window gives one."""


def empty_view(*, dark: bool, full_window: bool) -> pn.Column:
    """The root of a page, with its colours and its place in the window and nothing on it yet."""
    place: dict[str, Any] = (
        {"sizing_mode": "stretch_both", "styles": {"position": "fixed", "inset": "0"}}
        if full_window
        else {"sizing_mode": "stretch_width", "height": NOTEBOOK_HEIGHT}
    )
    return styled(
        pn.Column(
            name=ROOT,
            css_classes=theme_classes(dark),
            stylesheets=[ROOT_CSS, SHRINKING_CSS],
            margin=0,
            **place,
        )
    )


class Page:
    """Views of a session, wired.

    Parameters
    ----------
    session
        Whose page it is.
    dark
        Theme at the start.
    full_window
        Fill the browser's window; False: stand in a notebook.
    courier
        Of the notebook that the page stands in; None: the page is served.
    painter, view
        What paints, and an empty root, that are there already; None: new ones.
    """

    def __init__(
        self,
        session: Session,
        *,
        dark: bool = True,
        full_window: bool = True,
        courier: NotebookCourier | None = None,
        painter: Painter | None = None,
        view: pn.Column | None = None,
    ) -> None:
        self.session = session
        self.dark = dark
        self._full_window = full_window
        self.painter = painter or Painter(courier or current_courier(), session.report)
        self.painter.after = self._push
        if courier is not None:
            courier.after = self._push
        self.wall = ImageWall(dark=dark, waits=served_document() is not None)
        self.wall_pane = pn.pane.Bokeh(self.wall.model, sizing_mode="stretch_both", margin=0)
        self.readout_pane = pn.pane.Bokeh(self.wall.readout, sizing_mode="stretch_width", margin=0)
        self.header = Header(
            session, self.toggle_settings, self.toggle_theme, self.toggle_help, self.painter.ask
        )
        self.header.theme.label = "Light" if dark else "Dark"
        context = self.context = PageContext(session, self.painter, self.wall)
        self.compare = CompareBar(context)
        self.exports = ExportMenu(session, self.wall)
        self.header.view.insert(3, self.compare.pin)
        self.header.view.insert(4, self.exports.menu)
        self._notices = Notices(session)
        self.help = help_pane()
        self.care = BrowserCare()
        self.keys = Keys(self._actions(), everywhere=full_window)
        self._rest = Unfolding(
            {
                "sidebar": lambda: self.sidebar.view,
                "inspector": lambda: self.inspector.view,
                "drawer": lambda: self.drawer.view,
            },
            self.painter.ask,
            self._show_rest,
        )
        shown = self.on_the_wall = OnTheWall(session, self.wall, self._rest.soon)
        self.view = empty_view(dark=dark, full_window=full_window) if view is None else view
        self.view.objects = [styled(part) for part in self._arrange()]
        session.visible_box = shown.visible_box
        session.sky_limits = lambda: self.wall.sky_limits
        self.wall.on_tap(session.select_at)
        self.wall.on_view(lambda view: session.param.update(view=view))
        self.wall.on_tap(lambda x, y: session.studies.tap(x, y, self.wall.step))
        session.studies.cursor = lambda: self.wall.cursor
        if courier is not None:
            self.wall.call_later_by(courier.later)
        self._follow(shown.show_frame, "frame")
        self._follow(shown.show_live, "live_cell")
        self._follow(shown.show_growing, "growing")
        self._follow(self._show_cell, "frame", "live_cell", "anchor")
        self._follow(self._show_drawer, "frame", "live_cell", "anchor")
        self._follow(shown.show_display, "display")
        self._follow(shown.show_wanted_view, "wanted_view")
        self._follow(shown.show_imported, "imported", "frame")
        self._follow(self._notices.show, "alert", "frame")
        for show in (
            shown.show_display,
            shown.show_frame,
            shown.show_wanted_view,
            self._show_cell,
            shown.show_imported,
            self._notices.show,
        ):
            show()
        self._rest.after_images(
            served_document() if full_window else None,
            lambda: self.wall.painted > 0 or bool(session.alert),
            self.care.load_scripts,
        )

    @functools.cached_property
    def sidebar(self) -> Sidebar:
        """All controls."""
        return Sidebar(self.session, self.painter.ask)

    @functools.cached_property
    def inspector(self) -> Inspector:
        """Everything about the selected cell."""
        return Inspector(self.context, palette(self.dark))

    @functools.cached_property
    def drawer(self) -> Drawer:
        """Tabs about the whole frame."""
        return Drawer(self.context, palette(self.dark))

    def _follow(self, show: Callable[[], None], *names: str) -> None:
        """Have ``show`` called after changes of these parameters of the session."""
        self.session.param.watch(lambda *events: self.painter.ask(show), list(names))

    def _push(self) -> None:
        """A notebook must be told of changes of Bokeh's models; a served page hears of them."""
        if not self._full_window:
            pn.io.push_notebook(self.wall_pane)

    def toggle_theme(self) -> None:
        """Dark to light or back, at once."""
        self.painter.ask(self._toggle_theme)

    def _toggle_theme(self) -> None:
        self.dark = not self.dark
        self.view.css_classes = theme_classes(self.dark)
        self.header.theme.label = "Light" if self.dark else "Dark"
        self.wall.set_dark(self.dark)
        for name in ("inspector", "drawer"):
            if self._rest.filled(name):
                getattr(self, name).theme(palette(self.dark))

    def toggle_settings(self) -> None:
        """Put the settings away, or back."""
        self.bars.toggle("settings")

    def toggle_help(self) -> None:
        """Show or hide the shortcuts."""
        self.help.visible = not self.help.visible

    def explain_here(self) -> None:
        """Say why there is a residual under the cursor."""
        self.bars.show("inspector")
        self.inspector.front("Explain")
        self.session.studies.explain_here()

    def zoom_to_cell(self) -> None:
        """Show the selected cell with its padding."""
        cell = self.session.cell
        if cell is not None:
            self.wall.zoom_to(cell.cell.outer, 0.05)

    def close(self) -> None:
        """The browser has gone."""
        self.exports.close()
        self.context.close()
        self.session.close()
        self.on_the_wall.release()

    # -- arrangement -----------------------------------------------------------------------

    def _arrange(self) -> list[pn.viewable.Viewable]:
        place = self._rest.places
        centre = pn.Column(
            *self._notices.views,
            self.compare.view,
            self.wall_pane,
            pn.Row(
                self.readout_pane,
                sizing_mode="stretch_width",
                margin=0,
                styles={"padding": "0 8px", "overflow": "hidden"},
            ),
            pn.Column(
                place["drawer"].view,
                sizing_mode="stretch_width",
                height=DRAWER_HEIGHT,
                margin=0,
                styles={"border-top": "1px solid var(--zx-border)"},
            ),
            sizing_mode="stretch_both",
            margin=0,
            css_classes=["zx-centre"],
            # Images as large as they were do not keep it from becoming narrower.
            stylesheets=[SHRINKING_CSS],
            styles={"overflow": "hidden"},
        )
        left = pn.Column(
            place["sidebar"].view,
            **self._width(272),
            margin=0,
            styles={
                "border-right": "1px solid var(--zx-border)",
                "background": "var(--zx-surface)",
            },
        )
        right = pn.Column(
            place["inspector"].view,
            **self._width(344),
            scroll="y-auto",
            margin=0,
            styles={"border-left": "1px solid var(--zx-border)"},
        )
        self.bars = SideBars(left, right, self.painter.ask)
        body = pn.Row(
            left, centre, right, sizing_mode="stretch_both", margin=0, stylesheets=[SHRINKING_CSS]
        )
        return [
            self.care,
            self.header.view,
            body,
            self.help,
            self.keys,
            self.exports.downloads.view,
            *(() if self._full_window else (self.bars.measure,)),
        ]

    def _width(self, pixels: int) -> dict[str, Any]:
        """Options of a bar of this width."""
        if self._full_window:
            return {"width": pixels, "sizing_mode": "stretch_height"}
        # A style: Panel adds a width to the least one of the page, which a notebook may not have.
        css = f":host {{ width: {pixels}px !important; flex: none !important; }}"
        return {"sizing_mode": "stretch_both", "stylesheets": [css]}

    def _actions(self) -> dict[str, Any]:
        session = self.session
        return {
            "ArrowLeft": lambda: self._step(-1, 0),
            "ArrowRight": lambda: self._step(1, 0),
            "ArrowUp": lambda: self._step(0, 1),
            "ArrowDown": lambda: self._step(0, -1),
            "z": lambda: self.painter.ask(self.zoom_to_cell),
            "r": lambda: self.painter.ask(self.wall.reset_view),
            "0": lambda: self.painter.ask(self.wall.reset_view),
            "d": self.toggle_theme,
            "s": self.toggle_settings,
            "i": lambda: self.bars.toggle("inspector"),
            "+": lambda: self.painter.ask(self.wall.zoom_in),
            "-": lambda: self.painter.ask(self.wall.zoom_out),
            "e": self.explain_here,
            "p": session.pin,
            "b": lambda: self.compare.blink(True),
            "b up": lambda: self.compare.blink(False),
            **{str(k + 1): functools.partial(self._maximise, k) for k in range(6)},
            "?": self.toggle_help,
            "Escape": self._escape,
            "Ctrl+z": session.undo,
            "Ctrl+y": session.redo,
        }

    def _step(self, columns: int, rows: int) -> None:
        """Select a neighbour, and see to it that it is in view: keys do not show where it is."""
        self.session.step(columns, rows)
        self.painter.ask(self._see_cell)

    def _see_cell(self) -> None:
        cell = self.session.cell
        if cell is not None:
            self.wall.bring_into_view(cell.cell.inner)

    def _maximise(self, place: int) -> None:
        name = list(self.wall.panels)[place]
        self.painter.ask(lambda: self.wall.maximise(name))

    def _escape(self) -> None:
        if self.help.visible:
            self.help.visible = False
        else:
            self.session.cancel()

    # -- what the session tells ------------------------------------------------------------

    def _show_cell(self) -> None:
        result = self.session.cell
        self.wall.select(result.cell if result is not None else None)
        if not self._rest.filled("inspector"):
            return
        plan = self.session.plan
        if plan is not None and result is not None:
            plan = plan.for_cell(result.cell)
        self.inspector.show(plan, result)

    def _show_drawer(self) -> None:
        if self._rest.filled("drawer"):
            self.drawer.refresh()

    def _show_rest(self, name: str) -> None:
        """A part that was made after the images has come: it shows what they show."""
        if name == "inspector":
            self._show_cell()
        elif name == "drawer":
            self._show_drawer()
