"""The command line: read the pair, then serve the page.

Files are read before anything is served, so that bad input is one sentence on the terminal and
exit code 2, never a page that does not come up.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from zogy_explorer.engine import ZogyConfig
from zogy_explorer.engine.config import UNITS
from zogy_explorer.errors import InputError, ReadError, ZogyError
from zogy_explorer.version import __version__

DEFAULT_PORT = 5006

_DESCRIPTION = """\
Subtract a template from a science image (ZOGY) and open a page to see why a residual is there.

Both files are FITS on the same pixel grid, with variance and PSF.
Without files the page opens with a simulated sample pair.
"""

_EPILOG = """\
examples:
  zogy-explorer                                   the sample pair
  zogy-explorer science.fits template.fits
  zogy-explorer science.fits template.fits --set maxPsfCentroidDist=0.5 --set fftSizing=exact
  zogy-explorer --no-browser --port 8080          on a remote machine
  zogy-explorer --fields                          what --set and --config understand
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``zogy-explorer``.

    Parameters
    ----------
    arguments
        Words of the command line; those of the process by default.

    Returns
    -------
    code
        0, or 2 if the input cannot be used.
    """
    options = make_parser().parse_args(arguments)
    if options.fields:
        print(describe_fields())
        return 0
    try:
        config = make_config(options.config, options.set or [])
        pair = read_pair(options.science, options.template, config)
    except ZogyError as error:
        print(f"zogy-explorer: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    options.port = choose_port(options.address, options.port)
    try:
        serve(pair, config, options)
    except OSError as error:
        print(
            f"zogy-explorer: cannot listen on {options.address}:{options.port} "
            f"({error.strerror or error}): choose another --port",
            file=sys.stderr,
        )
        return 2
    return 0


def make_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = _Parser(
        prog="zogy-explorer",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("science", nargs="?", help="FITS file of the new image")
    parser.add_argument("template", nargs="?", help="FITS file of the reference image")
    parser.add_argument(
        "--port",
        type=int,
        help=f"port to serve on; 0: any free one (default: {DEFAULT_PORT}, or a free one if taken)",
    )
    parser.add_argument(
        "--address",
        default="127.0.0.1",
        help="address to listen on (default: %(default)s, this machine only)",
    )
    parser.add_argument(
        "--origin",
        metavar="HOST",
        action="append",
        default=[],
        help="further host name under which browsers reach this page; may be repeated",
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--config", metavar="FILE", help="settings as JSON: {FIELD: VALUE, …}")
    parser.add_argument(
        "--set",
        metavar="FIELD=VALUE",
        action="append",
        help="one setting; may be repeated, wins over --config",
    )
    parser.add_argument(
        "--root", metavar="DIR", type=Path, help="let the page open files in this folder only"
    )
    parser.add_argument("--light", action="store_true", help="start in the light theme")
    parser.add_argument("--fields", action="store_true", help="list all settings and leave")
    parser.add_argument("--version", action="version", version=f"zogy-explorer {__version__}")
    return parser


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def make_config(path: str | None, assignments: Sequence[str]) -> ZogyConfig:
    """Settings from a JSON file and ``FIELD=VALUE`` words, over the page's defaults.

    Raises
    ------
    InputError
        If a file, field or value cannot be used.
    """
    values: dict[str, Any] = {"doSpatialGrid": True}
    if path is not None:
        values |= _read_json(Path(path))
    for word in assignments:
        field, sign, text = word.partition("=")
        if not sign:
            raise InputError(f"--set {word}: write FIELD=VALUE, such as maxPsfCentroidDist=0.5")
        values[field.strip()] = parse_value(field.strip(), text.strip())
    return ZogyConfig.from_dict(values)


def parse_value(field: str, text: str) -> Any:
    """A setting from its text: JSON where it is that, commas for lists, else the word itself.

    Raises
    ------
    InputError
        If a number or a switch is wanted and the text is neither.
    """
    if field not in ZogyConfig.field_names():
        return text  # `ZogyConfig.from_dict` says which field was meant
    default = ZogyConfig.param[field].default
    if text.lower() in ("none", "null", ""):
        return [] if isinstance(default, list) else None
    if isinstance(default, bool):
        if text.lower() in ("true", "yes", "on", "1"):
            return True
        if text.lower() in ("false", "no", "off", "0"):
            return False
        raise InputError(f"{field} is {text!r}: it must be true or false")
    if isinstance(default, list) and not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def describe_fields() -> str:
    """All settings with default, unit and meaning."""
    lines = []
    for field in ZogyConfig.field_names():
        parameter = ZogyConfig.param[field]
        unit = f" {UNITS[field]}" if field in UNITS else ""
        lines.append(f"{field} (default {parameter.default}{unit})")
        lines.append(f"    {parameter.doc}")
    return "\n".join(lines)


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


def choose_port(address: str, wanted: int | None) -> int:
    """The port wanted; for None the usual one if it is free, else (and for 0) any free one."""
    if wanted:
        return wanted
    for candidate in (DEFAULT_PORT, 0) if wanted is None else (0,):
        with socket.socket() as probe:
            try:
                probe.bind((address, candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return DEFAULT_PORT  # nothing can be bound here: let the server say why


def serve(paths: tuple[Any, Any] | None, config: ZogyConfig, options: argparse.Namespace) -> None:
    """Serve the page until interrupted; every visitor gets a session of their own."""
    import panel as pn

    from zogy_explorer.ui.explorer import TITLE, ZogyExplorer

    def page() -> ZogyExplorer:
        science, template = paths if paths is not None else (None, None)
        return ZogyExplorer(
            science, template, config.copy(), root=options.root, dark=not options.light
        )

    server = pn.serve(
        page,
        port=options.port,
        address=options.address,
        websocket_origin=_origins(options),
        start=False,
        show=False,
        title=TITLE,
        verbose=False,
    )
    server.start()
    url = f"http://{options.address}:{server.port}"
    print(f"ZOGY Explorer: {url} (Ctrl+C to stop)", flush=True)
    if not options.no_browser:
        webbrowser.open(url)
    try:
        server.io_loop.start()
    except KeyboardInterrupt:
        print("stopped")
    finally:
        server.stop()


def _origins(options: argparse.Namespace) -> list[str] | None:
    """Hosts whose pages may talk to the server."""
    hosts = {options.address, "localhost", "127.0.0.1", socket.gethostname(), *options.origin}
    return sorted(h if ":" in h else f"{h}:{options.port}" for h in hosts)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ReadError(path, "there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(path, f"{error}") from error
    except json.JSONDecodeError as error:
        raise ReadError(path, f"it is not JSON ({error}); write {{FIELD: VALUE, …}}") from error
    if not isinstance(values, dict):
        raise ReadError(path, "settings must be a JSON object, {FIELD: VALUE, …}")
    return values
