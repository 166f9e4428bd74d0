"""Room for the images: the bars beside them can be put away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn
from panel.custom import JSComponent

NARROW = 1000
"""[px] A page in a less wide notebook begins without its settings: there is no room for both."""


class SideBars:
    """The settings on the left and the inspector on the right, each there or not.

    Parameters
    ----------
    settings, inspector
        The bars.
    ask
        Runs what writes to the page, in order.
    """

    def __init__(
        self,
        settings: pn.Column,
        inspector: pn.Column,
        ask: Callable[[Callable[[], object]], None],
    ) -> None:
        self._bars = {"settings": settings, "inspector": inspector}
        self._ask = ask
        self.measure = WidthSensor(self._fit)

    def toggle(self, name: str) -> None:
        """Put a bar away, or back."""
        bar = self._bars[name]
        self._ask(lambda: bar.param.update(visible=not bar.visible))

    def show(self, name: str) -> None:
        """Have a bar on the page."""
        bar = self._bars[name]
        if not bar.visible:
            self._ask(lambda: bar.param.update(visible=True))

    def _fit(self, width: float) -> None:
        if width < NARROW and self._bars["settings"].visible:
            self.toggle("settings")


class WidthSensor(JSComponent):
    """Tells once how wide the page is when it has got its place; draws nothing."""

    _esm = """
    export function render({model, el}) {
      const page = el.getRootNode().host?.getRootNode().host ?? document.body
      const sensor = new ResizeObserver(() => {
        if (!page.clientWidth) return
        sensor.disconnect()
        model.send_msg({width: page.clientWidth})
      })
      sensor.observe(page)
      model.on("remove", () => sensor.disconnect())
    }
    """

    def __init__(self, tell: Callable[[float], None], **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, **params)
        self._tell = tell

    def _handle_msg(self, data: Any) -> None:
        self._tell(float(data["width"]))
