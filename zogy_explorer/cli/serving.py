"""What every command that serves a page needs: its options, a port, and the server."""

from __future__ import annotations

import argparse
import socket
import sys
import webbrowser
from collections.abc import Callable
from typing import Any

DEFAULT_PORT = 5006
_LAST_PORT = 65535


def add_serving_options(parser: argparse.ArgumentParser) -> None:
    """Where to listen, and who may come."""
    parser.add_argument(
        "--port",
        type=_port,
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
    parser.add_argument("--light", action="store_true", help="start in the light theme")


def _port(text: str) -> int:
    """A port from its text, as argparse wants it said."""
    if not (text.isdecimal() and int(text) <= _LAST_PORT):
        raise argparse.ArgumentTypeError(f"{text} is no port: give a number from 0 to {_LAST_PORT}")
    return int(text)


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


def serve(page: Callable[[], Any], options: argparse.Namespace, title: str, query: str = "") -> int:
    """Serve the page until interrupted; every visitor gets a session of their own.

    Parameters
    ----------
    page
        Makes the page of one visitor.
    options
        Of `add_serving_options`.
    title
        Of the page.
    query
        Of the address that is printed and opened, such as ``"?chapter=5"``.

    Returns
    -------
    code
        Exit code: 0, or 2 if the port cannot be had.
    """
    port = choose_port(options.address, options.port)
    try:
        _serve(page, options, title, query, port)
    except OSError as error:
        print(
            f"zogy-explorer: cannot listen on {options.address}:{port} "
            f"({error.strerror or error}): choose another --port",
            file=sys.stderr,
        )
        return 2
    return 0


def _serve(
    page: Callable[[], Any], options: argparse.Namespace, title: str, query: str, port: int
) -> None:
    import panel as pn

    server = pn.serve(
        page,
        port=port,
        address=options.address,
        websocket_origin=_origins(options, port),
        start=False,
        show=False,
        title=title,
        verbose=False,
    )
    server.start()
    url = f"http://{options.address}:{server.port}{'/' + query if query else ''}"
    print(f"{title}: {url} (Ctrl+C to stop)", flush=True)
    if not options.no_browser:
        webbrowser.open(url)
    try:
        server.io_loop.start()
    except KeyboardInterrupt:
        print("stopped")
    finally:
        server.stop()


def _origins(options: argparse.Namespace, port: int) -> list[str] | None:
    """Hosts whose pages may talk to the server."""
    hosts = {options.address, "localhost", "127.0.0.1", socket.gethostname(), *options.origin}
    return sorted(h if ":" in h else f"{h}:{port}" for h in hosts)
