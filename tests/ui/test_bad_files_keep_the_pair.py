"""Files that cannot be a pair: one sentence on the page, and the old pair stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from zogy_explorer.simulate import sample_pair
from zogy_explorer.ui.session import Session


@pytest.fixture
def session() -> Session:
    session = Session(live=False)
    session.open_exposures(*sample_pair()[:2])
    return session


def without_an_image(path: Path) -> None:
    fits.PrimaryHDU().writeto(path)


def with_a_psf_of_zeros(path: Path) -> None:
    sample_pair()[0].write(path)
    with fits.open(path, mode="update") as hdus:
        hdus["PSF"].data[...] = 0


def all_nan(path: Path) -> None:
    science = sample_pair()[0]
    science.replace(image=np.full_like(science.image, np.nan)).write(path)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(without_an_image, "image"), (with_a_psf_of_zeros, "PSF"), (all_nan, "finite")],
)
def test_a_file_that_cannot_be_used_is_said_and_the_old_pair_stays(
    session: Session, tmp_path: Path, spoil: object, words: str
) -> None:
    before = session.frame
    bad, good = tmp_path / "bad.fits", tmp_path / "good.fits"
    spoil(bad)  # type: ignore[operator]
    sample_pair()[1].write(good)
    session.open_paths(str(bad), str(good))
    assert session.frame is before
    assert words in session.alert
    assert "\n" not in session.alert
    assert "unexpected" not in session.alert
