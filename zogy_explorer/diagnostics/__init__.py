"""Judging a result: pure functions of a difference or a cell, with frozen results."""

from __future__ import annotations

from zogy_explorer.diagnostics.seams import Seam, SeamReport, Step, seam_steps

__all__ = ["Seam", "SeamReport", "Step", "seam_steps"]
