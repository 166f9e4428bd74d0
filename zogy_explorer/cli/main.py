"""Which command is meant, and what its faults become: one sentence and an exit code."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import NoReturn

from zogy_explorer.cli import batch, explore, prepare, subtract, teach
from zogy_explorer.errors import ZogyError
from zogy_explorer.version import __version__

INTERRUPTED = 130
"""Exit code after Ctrl+C."""

_DESCRIPTION = """\
Subtract a template from a science image (ZOGY) and open a page to see why a residual is there.

Both files are FITS on the same pixel grid, with variance and PSF.
Without files the page opens with a simulated sample pair.

commands (explore is meant if none is named):
  explore     open the page
  subtract    subtract one pair: FITS product and a one-page report
  batch       subtract many pairs: the same for each, and a summary
  prepare     make a pair out of raw images: variance, PSF, one pixel grid, one flux scale
  teach       lessons: ZOGY from two images to Scorr
  zogy-explorer COMMAND --help lists the options of a command.
"""

_EPILOG = """\
examples:
  zogy-explorer                                   the sample pair
  zogy-explorer science.fits template.fits
  zogy-explorer science.fits template.fits --set maxPsfCentroidDist=0.5 --set fftSizing=exact
  zogy-explorer --sample shifted                  a simulated pair with one thing wrong
  zogy-explorer --session night.json              go on with a saved session
  zogy-explorer --no-browser --port 8080          on a remote machine
  zogy-explorer --fields                          what --set and --config understand
  zogy-explorer subtract science.fits template.fits -o difference.fits
  zogy-explorer batch 'night42/*/science.fits' -o results --workers 2
"""

_COMMANDS: Mapping[str, tuple[Callable[[argparse.ArgumentParser], None], Callable[..., int]]] = {
    "explore": (explore.add_options, explore.run),
    "subtract": (subtract.add_options, subtract.run),
    "batch": (batch.add_options, batch.run),
    "prepare": (prepare.add_options, prepare.run),
    "teach": (teach.add_options, teach.run),
}
"""Name to what adds a command's options and what runs it."""

COMMANDS = tuple(_COMMANDS)
"""Names of all commands."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``zogy-explorer``.

    Parameters
    ----------
    arguments
        Words of the command line; those of the process by default.

    Returns
    -------
    code
        0; 1 if something was computed but not all of it could be; 2 if the input cannot be
        used; 130 if interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    named = bool(words) and words[0] in _COMMANDS
    command = words[0] if named else "explore"
    try:
        options = make_parser(command, named=named).parse_args(words[1:] if named else words)
        with _TerminatedLikeInterrupted():
            return _COMMANDS[command][1](options)
    except ZogyError as error:
        print(f"zogy-explorer: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("zogy-explorer: interrupted; nothing was left half-written", file=sys.stderr)
        return INTERRUPTED


def make_parser(command: str = "explore", *, named: bool = False) -> argparse.ArgumentParser:
    """The options of a command; ``named`` says whether its name was typed."""
    if command == "explore":
        parser = _Parser(
            prog="zogy-explorer explore" if named else "zogy-explorer",
            usage="zogy-explorer [explore] [options] [science template]\n"
            "       zogy-explorer subtract science template -o OUT [options]\n"
            "       zogy-explorer batch LIST -o DIR [options]\n"
            "       zogy-explorer prepare science template -o DIR [options]\n"
            "       zogy-explorer teach [options]",
            description=_DESCRIPTION,
            epilog=_EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("--version", action="version", version=f"zogy-explorer {__version__}")
    else:
        module = {
            "subtract": subtract, "batch": batch, "prepare": prepare, "teach": teach
        }[command]  # fmt: skip
        parser = _Parser(
            prog=f"zogy-explorer {command}",
            usage=f"zogy-explorer {command} {module.USAGE} [options]",
            description=module.DESCRIPTION,
            epilog=module.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
    _COMMANDS[command][0](parser)
    return parser


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


class _TerminatedLikeInterrupted:
    """SIGTERM unwinds as Ctrl+C does, so that temporary files are cleared away."""

    def __enter__(self) -> None:
        self._before = None
        try:
            self._before = signal.signal(signal.SIGTERM, _interrupt)
        except ValueError:  # not in the main thread: whoever runs us handles signals
            return

    def __exit__(self, *details: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
