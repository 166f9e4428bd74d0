"""One pair from files to products: the work of ``subtract``, and of each pair of ``batch``.

Runs in this process, in a worker process or on a cluster: it takes and gives plain values.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zogy_explorer.diagnostics import detect
from zogy_explorer.engine import Difference, ZogyConfig, plan, run
from zogy_explorer.exposure import Exposure
from zogy_explorer.io._atomic import placed_together
from zogy_explorer.io.detections import write_detections
from zogy_explorer.io.difference import write_difference
from zogy_explorer.prepare.registering import moved_template

if TYPE_CHECKING:
    from astropy.table import QTable


@dataclass(frozen=True)
class PairOrder:
    """A pair to be subtracted.

    Parameters
    ----------
    science, template
        Paths of FITS files.
    output
        The FITS product.
    report
        The HTML report, or None.
    detections
        The table of detections, or None; its extension says which kind.
    config
        Settings, as `ZogyConfig.to_dict` gives them.
    overrides
        Settings of single cells.
    threads
        Threads for the cells.
    threshold
        Of the detections [σ].
    shift
        By which the template is moved first (x, y) [px], or None.
    """

    science: str
    template: str
    output: str
    report: str | None
    config: Mapping[str, Any]
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    threads: int = 1
    threshold: float = 5.0
    detections: str | None = None
    shift: tuple[float, float] | None = None

    @property
    def has_detections(self) -> bool:
        """Whether the threshold matters: something that is written holds detections."""
        return self.report is not None or self.detections is not None


@dataclass(frozen=True)
class PairSummary:
    """What came of a pair, in numbers; ``detections`` is -1 if nobody asked for them."""

    cells: int
    failed: int
    warnings: int
    scorr_sigma: float
    detections: int
    seconds: float
    cause: str = ""


def make_products(
    order: PairOrder, progress: Callable[[int, int], None] | None = None
) -> PairSummary:
    """Read, subtract, write: the files appear when all are complete, the product first.

    Raises
    ------
    InputError
        If the pair cannot be read or subtracted, or a file cannot be written.
    """
    start = time.perf_counter()
    science, template = (Exposure.read(path) for path in (order.science, order.template))
    if order.shift is not None and order.shift != (0.0, 0.0):
        template = moved_template(template, *order.shift)
    config = ZogyConfig.from_dict(order.config)
    made = plan(science, template, config, overrides=order.overrides)
    if order.threads > 1:
        with ThreadPoolExecutor(order.threads) as pool:
            difference = run(made, executor=pool, progress=progress)
    else:
        difference = run(made, progress=progress)
    seconds = time.perf_counter() - start
    if not Path(order.output).parent.is_dir():
        Path(order.output).parent.mkdir(parents=True)
    table = _write(difference, order, seconds)
    return PairSummary(
        cells=len(difference.cells),
        failed=len(difference.failed),
        warnings=difference.count("warning"),
        scorr_sigma=difference.scorr_sigma(),
        detections=-1 if table is None else len(table),
        seconds=seconds,
        cause=difference.failed[0].describe_failure() if difference.failed else "",
    )


def _write(difference: Difference, order: PairOrder, seconds: float) -> QTable | None:
    """Write what was ordered; the detections, if anything needs them."""
    from zogy_explorer.report import Source, make_report, write_report

    wanted = (order.output, order.detections, order.report)
    with placed_together(*(path for path in wanted if path is not None)) as (output, *others):
        table = None
        if order.report is not None:
            source = Source(order.science, order.template, seconds)
            report = make_report(difference, source, threshold=order.threshold)
            write_report(report, others.pop())
            table = report.detections
        if order.detections is not None:
            table = detect(difference, order.threshold) if table is None else table
            write_detections(table, others.pop(), overwrite=True)
        files = (Path(order.science).resolve(), Path(order.template).resolve())
        threshold = order.threshold if order.has_detections else None
        write_difference(difference, output, files=files, threshold=threshold)
    return table


def report_path(output: str | Path) -> Path:
    """Where the report of a product goes: beside it, ``.html`` for ``.fits`` (``.fits.gz``)."""
    path = Path(output)
    name = path.name.removesuffix(".gz")
    stem = name.rsplit(".", 1)[0] if "." in name else name
    return path.with_name(f"{stem}.html")
