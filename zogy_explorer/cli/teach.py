"""``zogy-explorer teach``: serve the lessons."""

from __future__ import annotations

import argparse

from zogy_explorer.cli.serving import add_serving_options, serve
from zogy_explorer.errors import InputError

USAGE = "[--chapter N]"
DESCRIPTION = """\
ZOGY step by step: thirteen short chapters from two images to Scorr, computed as you look.
"""
EPILOG = """\
examples:
  zogy-explorer teach
  zogy-explorer teach --chapter 5 --light
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the lessons."""
    parser.add_argument(
        "--chapter", type=int, metavar="N", help="chapter to open, from 1 (default: the first)"
    )
    add_serving_options(parser)


def run(options: argparse.Namespace) -> int:
    """Serve the lessons until interrupted.

    Raises
    ------
    InputError
        If there is no such chapter.
    """
    from zogy_explorer.ui.teaching.app import teaching_page
    from zogy_explorer.ui.teaching.chapters import CHAPTERS
    from zogy_explorer.ui.teaching.page import TITLE

    if options.chapter is not None and not 1 <= options.chapter <= len(CHAPTERS):
        raise InputError(
            f"--chapter {options.chapter}: there is no such chapter; give 1 to {len(CHAPTERS)}"
        )
    query = "" if options.chapter is None else f"?chapter={options.chapter}"
    return serve(lambda: teaching_page(dark=not options.light), options, TITLE, query)
