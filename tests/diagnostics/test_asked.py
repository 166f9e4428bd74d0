"""Questions that are nearly right are understood; wrong ones get a sentence that helps."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u

from zogy_explorer import ZogyConfig, ZogyTask, plan, run
from zogy_explorer.diagnostics.asked import difference_of, position
from zogy_explorer.engine import Difference
from zogy_explorer.errors import InputError
from zogy_explorer.simulate import FlawedPair

CONFIG = ZogyConfig(background="none")


@pytest.fixture(scope="module")
def difference() -> Difference:
    return run(plan(*FlawedPair().draw(1), CONFIG))


@pytest.mark.parametrize("x", [3, 3.0, np.float32(3), np.int64(3), np.array(3), 3 * u.pix])
def test_any_number_is_a_coordinate(x: object) -> None:
    place = position(x, 4)
    assert place == (3.0, 4.0)
    assert all(type(value) is float for value in place)


@pytest.mark.parametrize(
    "x",
    [
        "a",
        "12",
        b"1",
        None,
        np.nan,
        np.inf,
        1j,
        [],
        {},
        (1, 2),
        np.arange(3),
        np.array([3]),
        3 * u.s,
    ],
)
def test_what_is_no_number_is_named_with_the_rule_and_the_remedy(x: object) -> None:
    with pytest.raises(InputError, match=r"^x is .*two finite numbers: give x and y in pixels"):
        position(x, 4)
    with pytest.raises(InputError, match=r"^y is "):
        position(4, x)


def test_a_value_without_a_repr_is_still_named() -> None:
    class Mute:
        def __repr__(self) -> str:
            raise RuntimeError

    with pytest.raises(InputError, match="Mute"):
        position(Mute(), 4)


def test_the_struct_of_a_task_stands_for_its_difference(difference: Difference) -> None:
    assert difference_of(difference) is difference
    struct = ZogyTask(config=CONFIG).run(*FlawedPair().draw(1))
    assert difference_of(struct) is struct.difference


@pytest.mark.parametrize("subject", ["x", None, 3, np.zeros((300, 300)), type("Held", (), {})()])
def test_what_is_no_difference_is_named_with_what_would_be_one(subject: object) -> None:
    with pytest.raises(InputError, match=r"not a Difference: give what run\(plan\(") as raised:
        difference_of(subject)
    assert len(str(raised.value)) < 300
    assert "\n" not in str(raised.value)
