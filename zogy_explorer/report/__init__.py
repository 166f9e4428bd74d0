"""A subtraction on one page of HTML that needs nothing else: pictures, numbers, flags, sources."""

from __future__ import annotations

from zogy_explorer.report.report import Report, Source, make_report, write_report

__all__ = ["Report", "Source", "make_report", "write_report"]
