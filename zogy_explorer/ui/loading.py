"""Pairs for the page: from paths, from uploaded bytes, or the sample. Runs off the page's thread.

Every fault of the input is an `InputError` with one sentence; the caller keeps the old pair.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from zogy_explorer.errors import InputError, ReadError
from zogy_explorer.exposure import Exposure
from zogy_explorer.ui.registering import registered_pair
from zogy_explorer.ui.samples import load_sample, title_of
from zogy_explorer.ui.session_file import SessionSpec
from zogy_explorer.ui.state import Pair


def pair_from_paths(science: str, template: str, root: Path | None = None) -> Pair:
    """Read both files.

    Parameters
    ----------
    science, template
        Paths on the machine that serves the page; ``~``, quotes around it and ``file://`` are
        understood.
    root
        Folder that the files must lie in, symbolic links followed, and that relative paths start
        from; None: anywhere, and from where the server was started.

    Raises
    ------
    InputError
        If a path is missing, not allowed, or cannot be read.
    """
    paths = []
    for role, text in (("science", science), ("template", template)):
        if not text.strip():
            raise InputError(f"no {role} file was given: type the path of a FITS file")
        paths.append(_path_of(text, root))
    first, second = (read(path) for path in paths)
    return Pair(
        science=first,
        template=second,
        science_name=_short_name(paths[0], paths[1]),
        template_name=_short_name(paths[1], paths[0]),
        paths=(paths[0], paths[1]),
        origin="files",
    )


def pair_from_uploads(science: tuple[str, bytes], template: tuple[str, bytes]) -> Pair:
    """Pair from two uploaded files, each as (file name, content)."""
    with tempfile.TemporaryDirectory(prefix="zogy-explorer-") as folder:
        exposures = []
        for role, (name, content) in (("science", science), ("template", template)):
            # The user's name tells the layout (.fits.gz); only its last part is used.
            path = Path(folder) / role / Path(name).name
            path.parent.mkdir()
            path.write_bytes(content)
            try:
                exposures.append(read(path))
            except ReadError as error:
                raise InputError(str(error).replace(str(path), name)) from error
    return Pair(exposures[0], exposures[1], science[0], template[0], origin="upload")


def pair_of_exposures(science: Exposure, template: Exposure) -> Pair:
    """A pair that is in memory."""
    return Pair(science, template, science.name or "science", template.name or "template")


def pair_of_session(spec: SessionSpec, root: Path | None, present: Pair | None) -> Pair:
    """The pair that a saved session was about.

    Parameters
    ----------
    spec
        The session.
    root
        As for `pair_from_paths`.
    present
        The pair on screen: a session of uploaded files goes on with them if they are there again.

    Raises
    ------
    InputError
        If the pair is not to be had.
    """
    pair = _unmoved_pair(spec, root, present)
    dx, dy = spec.shift or (0.0, 0.0)
    return registered_pair(pair, dx, dy)


def _unmoved_pair(spec: SessionSpec, root: Path | None, present: Pair | None) -> Pair:
    if spec.origin == "sample":
        return load_sample(title_of(spec.science))
    if spec.origin == "files":
        return pair_from_paths(spec.science, spec.template, root)
    names = (spec.science, spec.template)
    if present is not None and (present.science_name, present.template_name) == names:
        return replace(present, config={}, remarks=())
    how = "was uploaded: upload" if spec.origin == "upload" else "was in memory: open"
    raise InputError(
        f"the pair of this session ({spec.science} ▸ {spec.template}) {how} both again, then open "
        "the session once more"
    )


def read(path: Path) -> Exposure:
    """One exposure from a file; whatever goes wrong is one sentence."""
    try:
        return Exposure.read(path)
    except InputError:
        raise
    except Exception as error:  # readers meet any file: a fault in one is a fault of the file here
        raise ReadError(path, f"{type(error).__name__}: {error}") from error


def _path_of(text: str, root: Path | None) -> Path:
    """The path that somebody typed or pasted, perhaps from a shell or a file manager."""
    typed = text.strip()
    if len(typed) > 1 and typed[0] == typed[-1] and typed[0] in "'\"":
        typed = typed[1:-1].strip()
    if typed.startswith("file://"):
        typed = unquote(urlsplit(typed).path)
    try:
        # An absolute path stays what it is.
        path = ((root or Path()) / Path(typed).expanduser()).resolve()
    except (ValueError, RuntimeError, OSError) as error:  # a NUL, an unknown ~user, a loop of links
        raise InputError(
            f"{text.strip()!r} is not a path ({error}): type the path of a FITS file"
        ) from error
    if root is not None and not path.is_relative_to(root.resolve()):
        raise InputError(
            f"{typed} lies outside {root}: this page only opens files in that folder; give a path "
            "below it, such as one relative to it"
        )
    return path


def _short_name(path: Path, other: Path) -> str:
    """File name, with its folder if the other file is called the same."""
    return path.name if path.name != other.name else f"{path.parent.name}/{path.name}"
