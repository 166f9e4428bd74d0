"""Everything that can be taken home from the page: what it is called and how it is made.

Each product is written to a file in a folder of the session and handed over whole, so that
nothing half-written ever reaches anybody. Runs in a worker thread; no Panel here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from types import MappingProxyType

from zogy_explorer.diagnostics.detecting.detection import detect
from zogy_explorer.errors import InputError
from zogy_explorer.io._atomic import atomic_file
from zogy_explorer.io.cells import cell_regions
from zogy_explorer.io.detections import write_detections
from zogy_explorer.io.difference import cell_table, write_difference
from zogy_explorer.ui.script import header_files, script
from zogy_explorer.ui.session_file import SessionSpec, write_session_file
from zogy_explorer.ui.state import Frame


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What was on the page when an export was asked for.

    Parameters
    ----------
    frame
        The finished subtraction.
    spec
        The page itself.
    injected
        Number of sources that were injected on the page. They are in its pictures of some cells,
        and in no product: those are of the frame as it was observed.
    """

    frame: Frame
    spec: SessionSpec
    injected: int = 0

    def without(self) -> str:
        """A sentence on what the page shows and a product does not hold; "" if there is nothing."""
        if not self.injected:
            return ""
        several = self.injected > 1
        sources = f"{self.injected} sources" if several else "1 source"
        return f"{sources} injected on the page {'are' if several else 'is'} not in this file"


@dataclass(frozen=True)
class Export:
    """One kind of product.

    Parameters
    ----------
    label
        In the menu.
    suffix
        Of the file's name, after the name of the pair.
    write
        Writes it to a path, all or nothing.
    """

    label: str
    suffix: str
    write: Callable[[Snapshot, Path], None]

    def file_name(self, snapshot: Snapshot) -> str:
        """Name under which it is handed over."""
        name = Path(snapshot.frame.pair.science_name).name
        for end in (".gz", ".fz", ".fits", ".fit"):
            name = name.removesuffix(end)
        plain = "".join(c if c.isalnum() or c in "-_." else "_" for c in name).strip("._")
        return f"{plain or 'zogy'}{self.suffix}"


def _fits(snapshot: Snapshot, path: Path) -> None:
    frame, difference = snapshot.frame, snapshot.frame.difference
    remark = snapshot.without()
    if remark:
        diff = difference.diff
        lines = [str(diff.meta["HISTORY"])] if "HISTORY" in diff.meta else []
        meta = diff.meta | {"HISTORY": "\n".join([*lines, remark])}
        difference = replace(difference, diff=diff.replace(meta=meta))
    write_difference(difference, path, files=header_files(frame.pair))


def _report(snapshot: Snapshot, path: Path) -> None:
    from zogy_explorer.report import Source, make_report, write_report

    frame = snapshot.frame
    source = Source(*header_files(frame.pair), frame.seconds)
    report = make_report(frame.difference, source, threshold=snapshot.spec.threshold)
    write_report(report, path)


def _cells(form: str) -> Callable[[Snapshot, Path], None]:
    def write(snapshot: Snapshot, path: Path) -> None:
        text = StringIO()
        cell_table(snapshot.frame.cells).write(text, format=form)
        _write(text.getvalue(), path)

    return write


def _cell_regions(snapshot: Snapshot, path: Path) -> None:
    plan = snapshot.frame.plan
    regions = cell_regions(snapshot.frame.cells, (plan.bbox.x0, plan.bbox.y0))
    _write(regions.serialize(format="ds9", precision=3), path)


def _detections(snapshot: Snapshot, path: Path) -> None:
    if not any(cell.ok for cell in snapshot.frame.cells):
        raise InputError("no cell could be subtracted, so there is nothing to detect: see the log")
    write_detections(detect(snapshot.frame.difference, snapshot.spec.threshold), path)


def _session(snapshot: Snapshot, path: Path) -> None:
    write_session_file(snapshot.spec, path)


def _script(snapshot: Snapshot, path: Path) -> None:
    _write(script(snapshot.frame), path)


def _write(text: str, path: Path) -> None:
    with atomic_file(path, overwrite=True) as file:
        file.write(text.encode())


EXPORTS: Mapping[str, Export] = MappingProxyType(
    {
        "fits": Export("FITS: D, S, Scorr, cells, settings", "_zogy.fits", _fits),
        "report": Export("Report (HTML)", "_report.html", _report),
        "detections-ecsv": Export("Detections (ECSV)", "_detections.ecsv", _detections),
        "detections-fits": Export("Detections (FITS)", "_detections.fits", _detections),
        "detections-reg": Export("Detections (DS9 regions)", "_detections.reg", _detections),
        "cells-ecsv": Export("Cells (ECSV)", "_cells.ecsv", _cells("ascii.ecsv")),
        "cells-csv": Export("Cells (CSV)", "_cells.csv", _cells("ascii.csv")),
        "cells-reg": Export("Cells (DS9 regions)", "_cells.reg", _cell_regions),
        "session": Export("Session (JSON)", "_session.json", _session),
        "script": Export("Script (Python)", "_zogy.py", _script),
    }
)
"""Key to kind, in the order of the menu."""
