"""What the page's views get of frames and cells: pyramids, made in the worker, and hover texts."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from zogy_explorer.engine import CellResult, SubtractionPlan
from zogy_explorer.ui.layers import INPUTS, frame_layers, input_layer, result_layers
from zogy_explorer.ui.state import SYMBOLS, Frame
from zogy_explorer.ui.wall import build_pyramids


def present(frame: Frame, before: Frame | None) -> Mapping[str, Any]:
    """Pyramids of a new frame, made in the worker; only what differs from the frame before."""
    known = before is not None and before.plan.prepared is frame.plan.prepared
    layers = result_layers(frame) if known else frame_layers(frame)
    return build_pyramids(frame.plan.bbox, layers)


def first_look(plan: SubtractionPlan) -> Mapping[str, Any]:
    """Pyramids of a new pair's images, made in the worker before they are subtracted."""

    def made(name: str) -> Mapping[str, Any]:
        return build_pyramids(plan.bbox, {name: input_layer(plan, name)})

    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="look") as pool:
        return {name: layer for part in pool.map(made, INPUTS) for name, layer in part.items()}


def flag_text(result: CellResult, own: Mapping[str, Any]) -> str:
    """Flags of a cell, and its own settings, for its hover text; empty if there are none."""
    texts = [f"{SYMBOLS[f.severity]} {f.name}: {f.cause}" for f in result.flags]
    if own:
        texts.append("◆ own settings: " + ", ".join(f"{k} {v}" for k, v in own.items()))
    return "; ".join(texts)
