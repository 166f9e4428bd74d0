"""``zogy-explorer batch``: a night of pairs, each as `subtract` does it, and a summary.

A pair that fails is a line of the summary and the others go on. Started again, the command leaves
alone what is there with the same settings and threshold and is newer than its input; what had no
cell that could be subtracted stays failed.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import glob
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from io import StringIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from zogy_explorer.cli.outputs import NamedPath, check_outputs
from zogy_explorer.cli.products import PairOrder, PairSummary, make_products
from zogy_explorer.cli.progress import progress_bar
from zogy_explorer.cli.resuming import is_done, outcome_of_product, read_summary
from zogy_explorer.cli.settings import add_config_options, add_field_options, config_of
from zogy_explorer.cli.subtract import add_run_options, threshold_of
from zogy_explorer.errors import InputError, MissingExtraError, ReadError, ZogyError
from zogy_explorer.io._atomic import atomic_file

SUMMARY = "summary.ecsv"
"""Table of all pairs, in the folder of the products."""

USAGE = "LIST|GLOB -o DIR"
DESCRIPTION = """\
Subtract many pairs: for each a FITS product and a report in DIR, and DIR/summary.ecsv for all.

LIST is a text file with a line 'science template [name]' for each pair (# begins a comment);
relative paths start at its folder. GLOB matches science files; the template of each is the path
with its last 'science' replaced by 'template' ('sci' by 'ref'), or what --template says.
A pair that fails does not stop the others; started again, only what is missing, older than its
input, or made with other settings or another threshold is computed.
"""
EPILOG = """\
examples:
  zogy-explorer batch 'night42/*/science.fits' -o results --workers 4
  zogy-explorer batch 'night42/ccd*.fits' --template 'reference/{name}.fits' -o results
  zogy-explorer batch night42.txt -o results --dask tcp://scheduler:8786

exit codes: 0 all done; 1 some pairs failed; 2 input cannot be used; 130 interrupted.
"""


@dataclass(frozen=True)
class Task:
    """A pair of the list with the name of its products."""

    name: str
    science: Path
    template: Path


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("pairs", metavar="LIST|GLOB", help="text file with pairs, or a pattern")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="folder to write to")
    parser.add_argument(
        "--template",
        metavar="PATTERN",
        help="template of each science file of a GLOB; {name} is its name without extension, "
        "{folder} its folder",
    )
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="pairs at a time (default: 1)"
    )
    parser.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="compute on the cluster of this scheduler; its workers must see the files",
    )
    parser.add_argument("--no-report", action="store_true", help="write no reports")
    parser.add_argument(
        "--detections",
        choices=("ecsv", "fits", "reg"),
        help="write a table of what changed for each pair, NAME.detections.KIND",
    )
    parser.add_argument("--force", action="store_true", help="compute what is there already, too")
    add_run_options(parser)
    add_config_options(parser)
    add_field_options(parser)


def run(options: argparse.Namespace) -> int:
    """Subtract all pairs.

    Raises
    ------
    ZogyError
        If the list or the settings cannot be used.
    """
    if options.workers < 1 or options.threads < 1:
        raise InputError("--workers and --threads must be at least 1")
    config = config_of(options)
    tasks = read_tasks(options.pairs, options.template)
    folder = Path(options.output).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror or error}") from error
    orders = {task.name: _order(task, folder, config.to_dict(), options) for task in tasks}
    _check_files(orders, folder, options)
    rows = {name: _row(name, order, "waiting") for name, order in orders.items()}
    if not options.force:
        earlier = read_summary(folder / SUMMARY)
        for name, order in orders.items():
            there = outcome_of_product(order, earlier.get(name, {})) if is_done(order) else None
            if there is not None:
                rows[name] |= there
                _tell_failure(name, rows[name])
    todo = {name: order for name, order in orders.items() if rows[name]["status"] == "waiting"}
    with progress_bar("pairs", "pair", quiet=options.quiet) as show:
        for done, (name, outcome) in enumerate(_outcomes(todo, options), 1):
            rows[name] |= outcome
            write_summary(list(rows.values()), folder)
            show(done, len(todo))
            _tell_failure(name, outcome)
    write_summary(list(rows.values()), folder)
    counts = {s: sum(row["status"] == s for row in rows.values()) for s in _STATUSES}
    if not options.quiet:
        told = ", ".join(f"{n} {status}" for status, n in counts.items() if n)
        print(f"{folder / SUMMARY}: {len(rows)} pairs, {told}")
    return 1 if counts["failed"] else 0


_STATUSES = ("done", "skipped", "failed", "waiting")


def read_tasks(text: str, template: str | None) -> list[Task]:
    """Pairs of a list or a pattern.

    Raises
    ------
    InputError
        If there is none, a line is not understood, or two would have the same name.
    """
    path = Path(text).expanduser()
    is_list = path.is_file() and path.suffix.lower() not in (".fits", ".fit", ".fz", ".gz")
    pairs = _listed(path) if is_list else _matched(text, template)
    if not pairs:
        raise InputError(f"{text} names no pair: give a list of pairs or a pattern that matches")
    names = [name or _name_of(science, [p[0] for p in pairs]) for science, _, name in pairs]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two pairs would be called {name}: name them in a list, third word")
    return [Task(n, s, t) for n, (s, t, _) in zip(names, pairs, strict=True)]


def write_summary(rows: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write the summary table, all or nothing."""
    from astropy.table import Table

    text = StringIO()
    Table([dict(row) for row in rows]).write(text, format="ascii.ecsv")
    with atomic_file(folder / SUMMARY, overwrite=True) as file:
        file.write(text.getvalue().encode())


def _tell_failure(name: str, row: Mapping[str, Any]) -> None:
    if row["status"] == "failed":
        print(f"zogy-explorer: {name}: {row['message']}", file=sys.stderr)


def _check_files(
    orders: Mapping[str, PairOrder], folder: Path, options: argparse.Namespace
) -> None:
    """Refuse products that would be written over an input, or over each other."""
    outputs: list[NamedPath] = [("the summary", folder / SUMMARY)]
    inputs: list[NamedPath] = [("the settings", options.config)]
    if Path(options.pairs).expanduser().is_file():
        inputs.append(("the list", options.pairs))
    for name, order in orders.items():
        inputs += [(f"the science image of {name}", order.science)]
        inputs += [(f"the template of {name}", order.template)]
        outputs += [(f"the product of {name}", order.output)]
        outputs += [(f"the report of {name}", order.report)]
        outputs += [(f"the detections of {name}", order.detections)]
    check_outputs(outputs, inputs)


def _order(
    task: Task, folder: Path, config: dict[str, Any], options: argparse.Namespace
) -> PairOrder:
    # A cluster's workers may stand in another folder.
    output = (folder / f"{task.name}.fits").resolve()
    kind = options.detections
    return PairOrder(
        science=str(task.science.resolve()),
        template=str(task.template.resolve()),
        output=str(output),
        report=None if options.no_report else str(output.with_suffix(".html")),
        config=config,
        threads=options.threads,
        threshold=threshold_of(options),
        detections=None if kind is None else str(output.with_suffix(f".detections.{kind}")),
    )


def _row(name: str, order: PairOrder, status: str) -> dict[str, Any]:
    blank = PairSummary(0, 0, 0, np.nan, -1, np.nan)
    return {
        "name": name,
        "status": status,
        **dataclasses.asdict(blank),
        "message": "",
        "science": order.science,
        "template": order.template,
    }


def _outcomes(
    todo: dict[str, PairOrder], options: argparse.Namespace
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and columns of each pair that has ended."""
    if not todo:
        return
    with _executor(options, len(todo)) as executor:
        if executor is None:
            for name, order in todo.items():
                yield name, attempt(order)
            return
        futures: dict[Future[dict[str, Any]], str] = {
            executor.submit(attempt, order): name for name, order in todo.items()
        }
        try:
            for future in as_completed(futures):
                try:
                    yield futures[future], future.result()
                except Exception as error:  # a lost worker is any exception of any executor
                    cause = f"the worker was lost ({type(error).__name__}: {error})"
                    yield futures[future], {"status": "failed", "message": cause}
        finally:
            for future in futures:
                future.cancel()


def attempt(order: PairOrder) -> dict[str, Any]:
    """Make the products; whatever goes wrong is a line of the summary."""
    try:
        summary = make_products(order)
    except Exception as error:  # one pair must not take the night with it
        text = str(error) if isinstance(error, ZogyError) else f"{type(error).__name__}: {error}"
        return {"status": "failed", "message": " ".join(text.split())}
    columns = dataclasses.asdict(summary)
    failed = summary.failed == summary.cells
    return columns | {"status": "failed" if failed else "done", "message": columns["cause"]}


@contextlib.contextmanager
def _executor(options: argparse.Namespace, count: int) -> Iterator[Executor | None]:
    """What the pairs are computed on; None: here, one after the other."""
    if options.dask:
        try:
            from distributed import Client
        except ImportError as error:
            raise MissingExtraError("--dask", "dask") from error
        try:
            client = Client(options.dask, timeout="10s")
        except (OSError, ValueError) as error:
            raise InputError(
                f"--dask {options.dask}: no scheduler answers there ({error}); start one with "
                "dask scheduler"
            ) from error
        with client:
            yield client.get_executor()
        return
    if options.workers == 1 or count == 1:
        yield None
        return
    # Not fork: the parent has threads of numerical libraries.
    pool = ProcessPoolExecutor(min(options.workers, count), mp_context=get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _listed(path: Path) -> list[tuple[Path, Path, str | None]]:
    pairs = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(path, f"it is not a list of pairs ({error})") from error
    for number, line in enumerate(lines, 1):
        words = line.split("#")[0].replace(",", " ").split()
        if not words:
            continue
        if len(words) not in (2, 3):
            raise InputError(
                f"{path}, line {number}: {line.strip()!r} has {len(words)} words; "
                "write 'science template [name]'"
            )
        science, template = (_below(path.parent, word) for word in words[:2])
        pairs.append((science, template, words[2] if len(words) == 3 else None))
    return pairs


def _below(folder: Path, word: str) -> Path:
    return folder / Path(word).expanduser()  # an absolute path stays what it is


def _matched(pattern: str, template: str | None) -> list[tuple[Path, Path, str | None]]:
    found = sorted(Path(p) for p in glob.glob(str(Path(pattern).expanduser()), recursive=True))
    return [(path, _template_of(path, template), None) for path in found if path.is_file()]


def _template_of(science: Path, pattern: str | None) -> Path:
    """The template that belongs to a science file."""
    if pattern is not None:
        try:
            text = pattern.format(name=_stem(science), folder=science.parent)
        except (KeyError, IndexError, ValueError) as error:
            raise InputError(f"--template {pattern}: only {{name}} and {{folder}}") from error
        return Path(text).expanduser()
    text = str(science)
    for word, other in (("science", "template"), ("sci", "ref")):
        head, found, tail = text.rpartition(word)
        if found:
            return Path(head + other + tail)
    raise InputError(
        f"{science} does not contain 'science' or 'sci', so its template is unknown: "
        "give --template PATTERN or a list"
    )


def _stem(path: Path) -> str:
    return re.sub(r"(\.(fits|fit|fts|fz|gz))+$", "", path.name, flags=re.IGNORECASE)


def _name_of(science: Path, others: Sequence[Path]) -> str:
    """Name of the products: the file's, or with its folder's where files are called the same."""
    same = sum(_stem(other) == _stem(science) for other in others) > 1
    return f"{science.resolve().parent.name}_{_stem(science)}" if same else _stem(science)
