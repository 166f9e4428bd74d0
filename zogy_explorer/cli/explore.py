"""``zogy-explorer [explore]``: read the pair, then serve the page.

Files are read before anything is served, so that bad input is one sentence on the terminal and
exit code 2, never a page that does not come up.
"""

from __future__ import annotations

import argparse
import socket
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zogy_explorer.cli.settings import add_config_options, describe_fields, make_config
from zogy_explorer.engine import ZogyConfig
from zogy_explorer.errors import InputError

if TYPE_CHECKING:
    from zogy_explorer.ui.session_file import SessionSpec

DEFAULT_PORT = 5006


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the page."""
    parser.add_argument("science", nargs="?", help="FITS file of the new image")
    parser.add_argument("template", nargs="?", help="FITS file of the reference image")
    parser.add_argument(
        "--session", metavar="FILE", help="go on where a saved session (JSON) was left"
    )
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
    add_config_options(parser)
    parser.add_argument(
        "--root", metavar="DIR", type=Path, help="let the page open files in this folder only"
    )
    parser.add_argument("--light", action="store_true", help="start in the light theme")
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
    config = make_config(options.config, options.set or [])
    spec = read_session(options)
    pair = read_pair(options.science, options.template, config)
    options.port = choose_port(options.address, options.port)
    try:
        serve(pair, config, options, spec)
    except OSError as error:
        print(
            f"zogy-explorer: cannot listen on {options.address}:{options.port} "
            f"({error.strerror or error}): choose another --port",
            file=sys.stderr,
        )
        return 2
    return 0


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


def serve(
    paths: tuple[Any, Any] | None,
    config: ZogyConfig,
    options: argparse.Namespace,
    spec: SessionSpec | None = None,
) -> None:
    """Serve the page until interrupted; every visitor gets a session of their own."""
    import panel as pn

    from zogy_explorer.ui.explorer import TITLE, ZogyExplorer

    def page() -> ZogyExplorer:
        science, template = paths if paths is not None else (None, None)
        return ZogyExplorer(
            science,
            template,
            config.copy(),
            root=options.root,
            dark=not options.light,
            state=spec,
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
