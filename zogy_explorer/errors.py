"""Every exception the package raises on purpose.

Policy: an error says the *value* it met, the *rule* it breaks and the *remedy*, in one
sentence. Faults of the input are `InputError` (a ``ValueError``, as callers of LSST's
``ZogyTask`` expect); a missing optional package is an ``ImportError``. Faults of single cells
are not exceptions at all but flags (see ``engine/flags.py``).
"""

from __future__ import annotations

from pathlib import Path


class ZogyError(Exception):
    """Base of all errors of this package."""


class InputError(ZogyError, ValueError):
    """Data or parameters that cannot be used; the message names value, rule and remedy."""


class ShapeMismatchError(InputError):
    """Arrays that must share one pixel grid do not."""


class MissingDataError(InputError):
    """A plane, PSF or calibration that the requested operation needs is absent."""


class PsfError(InputError):
    """A point-spread function that is empty, not finite, or does not fit."""


class NoUsableCellError(InputError):
    """Every cell of a subtraction failed; the message lists the reasons."""


class ReadError(InputError):
    """A file that cannot be read as an exposure.

    Parameters
    ----------
    path
        The file.
    reason
        What is wrong and what would be right; completes the sentence "cannot read PATH: …".
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        self.path = Path(path)
        super().__init__(f"cannot read {self.path}: {reason}")


class PathNotFoundError(ReadError, FileNotFoundError):
    """A path that is not there."""

    # OSError would otherwise print itself from errno and strerror, which we do not set.
    def __str__(self) -> str:
        return str(self.args[0])


class CancelledError(ZogyError):
    """Work that was stopped on request; nothing was half-written."""


class MissingExtraError(ZogyError, ImportError):
    """An optional package is not installed.

    Parameters
    ----------
    feature
        What was asked for.
    extra
        The extra of this package that brings it.
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs an optional package: install it with "
            f"pip install 'zogy-explorer[{extra}]' (in a checkout: pip install '.[{extra}]')"
        )
