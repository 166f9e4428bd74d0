"""``zogy-explorer [explore]``: read the pair, then serve the page.

Files are read before anything is served, so that bad input is one sentence on the terminal and
exit code 2, never a page that does not come up.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zogy_explorer.cli.serving import add_serving_options, serve
from zogy_explorer.cli.settings import add_config_options, describe_fields, make_config
from zogy_explorer.engine import ZogyConfig
from zogy_explorer.errors import InputError

if TYPE_CHECKING:
    from zogy_explorer.ui.session_file import SessionSpec


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the page."""
    parser.add_argument("science", nargs="?", help="FITS file of the new image")
    parser.add_argument("template", nargs="?", help="FITS file of the reference image")
    parser.add_argument(
        "--session", metavar="FILE", help="go on where a saved session (JSON) was left"
    )
    parser.add_argument(
        "--sample", metavar="NAME", help="open a simulated pair, such as shifted or cosmic-ray"
    )
    add_serving_options(parser)
    add_config_options(parser)
    parser.add_argument(
        "--root", metavar="DIR", type=Path, help="let the page open files in this folder only"
    )
    parser.add_argument("--fields", action="store_true", help="list all settings and leave")


def run(options: argparse.Namespace) -> int:
    """Serve the page until interrupted.

    Raises
    ------
    ZogyError
        If the input cannot be used.
    """
    if options.fields:
        print(describe_fields())
        return 0
    if options.root is not None and not options.root.expanduser().is_dir():
        raise InputError(f"--root {options.root}: there is no such folder; give one that is there")
    config = make_config(options.config, options.set or [])
    spec = read_session(options)
    sample = read_sample(options)
    pair = read_pair(options.science, options.template, config)

    from zogy_explorer.ui.explorer import TITLE, ZogyExplorer

    def page() -> ZogyExplorer:
        science, template = pair if pair is not None else (None, None)
        return ZogyExplorer(
            science,
            template,
            config.copy(),
            root=options.root and options.root.expanduser(),
            dark=not options.light,
            state=spec,
            sample=sample,
        )

    return serve(page, options, TITLE)


def read_sample(options: argparse.Namespace) -> str:
    """The simulated pair that was named; the sample pair by default.

    Raises
    ------
    InputError
        If there is none of that name, or another pair is named as well.
    """
    from zogy_explorer.ui.samples import FIELD, check_name

    if options.sample is None:
        return FIELD
    other = options.science or options.session
    if other is not None:
        raise InputError(f"--sample {options.sample} is a pair of its own: leave out {other}")
    return check_name(options.sample)


def read_session(options: argparse.Namespace) -> SessionSpec | None:
    """The saved session that was named, or None.

    Raises
    ------
    InputError
        If it cannot be read, or files are named as well.
    """
    if options.session is None:
        return None
    if options.science is not None:
        raise InputError(
            f"--session {options.session} names its own pair: leave out {options.science}"
        )
    from zogy_explorer.ui.session_file import read_session_file

    return read_session_file(options.session)


def read_pair(
    science: str | None, template: str | None, config: ZogyConfig
) -> tuple[Any, Any] | None:
    """Both exposures, checked as far as a subtraction would; None if no file was named.

    Raises
    ------
    InputError
        If a file is missing, cannot be read, or the two do not go together.
    """
    if science is None:
        return None
    if template is None:
        raise InputError(
            f"only one file was given ({science}): name the science and the template file"
        )
    from zogy_explorer.engine import plan
    from zogy_explorer.ui.loading import pair_from_paths

    pair = pair_from_paths(science, template)
    plan(pair.science, pair.template, config)
    return pair.paths if pair.paths is not None else None
