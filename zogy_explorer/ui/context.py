"""What a page hands to each tab of its inspector and of its drawer."""

from __future__ import annotations

from dataclasses import dataclass

from zogy_explorer.ui.live import Painter
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.wall import ImageWall


@dataclass(frozen=True, eq=False)
class PageContext:
    """The parts of a page that a tab may use.

    Parameters
    ----------
    session
        State of the user; tabs watch its parameters and call its methods.
    painter
        Where to ask for anything that writes Bokeh models.
    wall
        The images.
    """

    session: Session
    painter: Painter
    wall: ImageWall
