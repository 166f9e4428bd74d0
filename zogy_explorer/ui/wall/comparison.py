"""Two results on one wall: the present one (B) and one that was pinned (A).

Only what is cut for the screen differs, so blinking and swiping cost one repaint. Both are shown
with the stretch of the present result: else a change of limits would look like one of pixels.
The difference is A − B.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from numpy.typing import NDArray

from zogy_explorer.geometry import Box
from zogy_explorer.ui.wall.layers import LayerSpec
from zogy_explorer.ui.wall.pyramid import Pyramid
from zogy_explorer.ui.wall.viewport import Window

CompareMode = Literal["present", "pinned", "swipe", "difference"]

TITLES: Mapping[CompareMode, str] = {
    "present": "",
    "pinned": "A",
    "swipe": "A | B",
    "difference": "A − B",
}
"""What stands behind the title of a panel."""


class Comparison:
    """What is pinned and how it is shown beside the present layers."""

    def __init__(self) -> None:
        self.mode: CompareMode = "present"
        self.divider = 0.0
        self._pinned: dict[str, Pyramid] = {}
        self._changes: dict[str, Pyramid] = {}

    @property
    def active(self) -> bool:
        """Whether anything is pinned."""
        return bool(self._pinned)

    def pin(self, pyramids: Mapping[str, Pyramid]) -> None:
        """Keep the layers of result A; none: nothing is compared any more."""
        self._pinned, self._changes = dict(pyramids), {}
        if not pyramids:
            self.mode = "present"

    def title(self, spec: LayerSpec) -> str:
        """Title of a panel, with what it shows of A and B."""
        mode = self.mode
        if spec.name not in self._pinned or (mode == "difference" and spec.kind != "diverging"):
            mode = "present"
        if mode == "present":
            return spec.title
        # The short name: panels of a small window have no room for more beside their limits.
        return f"{spec.label or spec.title} {TITLES[mode]}"

    def shown(self, spec: LayerSpec, present: Pyramid) -> Pyramid:
        """The pyramid whose pixels (left of the divider apart) are shown."""
        pinned = self._pinned.get(spec.name)
        if pinned is None or pinned.empty or present.empty:
            return present
        if self.mode == "pinned":
            return pinned
        if self.mode == "difference" and spec.kind == "diverging":
            if spec.name not in self._changes:
                self._changes[spec.name] = pinned.minus(present)
            return self._changes[spec.name]
        return present

    def scaled_by(self, spec: LayerSpec, present: Pyramid) -> tuple[str, Pyramid]:
        """Key and pyramid from which the limits of a layer come."""
        shown = self.shown(spec, present)
        if shown is self._changes.get(spec.name):
            return f"{spec.name} A − B", shown
        return spec.name, present

    def cut(self, spec: LayerSpec, present: Pyramid, window: Window) -> NDArray[Any]:
        """Pixels of a layer in a window; A left of the divider when swiping."""
        pixels = self.shown(spec, present).cut(window.region, window.shape)
        pinned = self._pinned.get(spec.name)
        if self.mode == "swipe" and pinned is not None:
            left, _, right, _ = window.region
            columns = window.shape[1]
            split = round((self.divider - left) / (right - left) * columns)
            split = min(max(split, 0), columns)
            if split:
                pixels[:, :split] = pinned.cut(window.region, window.shape)[:, :split]
        return pixels

    def patched(self, name: str, box: Box, values: NDArray[Any]) -> None:
        """The present layer has new pixels in a box."""
        change = self._changes.get(name)
        if change is not None:
            change.update(box, self._pinned[name].region(box) - values)

    def replaced(self, name: str) -> None:
        """The present layer is another one."""
        self._changes.pop(name, None)
