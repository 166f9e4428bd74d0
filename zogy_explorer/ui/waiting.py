"""Waiting, in a notebook or a script with an event loop, until a session shows what was asked."""

from __future__ import annotations

import asyncio

from zogy_explorer.engine import Difference
from zogy_explorer.errors import InputError
from zogy_explorer.ui.session import Session

_LOOK_EVERY = 0.02  # [s]; results land in the loop meanwhile


async def settled(session: Session, timeout: float) -> Difference:
    """The result of the newest pair and settings, when no work is left.

    Raises
    ------
    InputError
        If the newest work failed or was cancelled, or is not done after ``timeout`` seconds.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    # A control that is held in the browser computes its cell only: the frame is still to come.
    while not session.idle or (session.uncommitted and not session.failure):
        if loop.time() >= deadline:
            doing = f" ({session.activity})" if session.activity else ""
            raise InputError(
                f"the result was not there after {timeout:g} s{doing}: wait again, or longer "
                "with ready(timeout=…)"
            )
        await asyncio.sleep(_LOOK_EVERY)
    if session.failure:
        raise InputError(session.failure)
    if session.frame is None or session.stale:
        raise InputError(
            "the work was cancelled before there was a result: change a setting, or compute the "
            "frame again on the page"
        )
    difference: Difference = session.frame.difference
    return difference
