"""A result on disk: all planes, the cells and the settings."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from zogy_explorer import ZogyConfig, plan, run
from zogy_explorer.errors import ReadError
from zogy_explorer.io import read_difference, read_exposure, write_difference, write_exposure
from zogy_explorer.simulate import inject, make_pair


@pytest.fixture(scope="module")
def pair():
    science, template, _ = make_pair(
        4, (150, 170), psf_size=15, n_transients=1, centroid_offset=0.4, cosmic_rays=2
    )
    return science, template


@pytest.fixture(scope="module")
def difference(pair):
    """Some of its cells failed."""
    config = ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0)
    result = run(plan(*pair, config))
    assert 0 < len(result.failed) < len(result.cells) / 2
    return result


@pytest.fixture
def back(difference, tmp_path):
    write_difference(difference, tmp_path / "d.fits")
    return read_difference(tmp_path / "d.fits")


def test_planes_come_back_to_the_bit(difference, back):
    for name in ("diff", "score"):
        given, read = getattr(difference, name), getattr(back, name)
        assert read.image.tobytes() == given.image.tobytes()
        assert read.variance.tobytes() == given.variance.tobytes()
        assert np.array_equal(read.mask, given.mask)
        assert read.mask_planes == given.mask_planes
        assert read.photo_calib == given.photo_calib
        assert read.wcs.has_celestial
    assert back.scorr.tobytes() == difference.scorr.tobytes()


def test_each_cell_keeps_its_psfs(difference, back):
    for cell in difference.cells:
        x, y = cell.cell.inner.center
        for name in ("diff", "score"):
            given, read = (getattr(d, name).psf.kernel_image(x=x, y=y) for d in (difference, back))
            assert np.array_equal(read, given)


def test_the_psf_between_blended_cells_comes_back(pair, tmp_path):
    config = ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0, blendCells=8)
    given = run(plan(*pair, config)).diff
    write_exposure(given, tmp_path / "d.fits")
    read = read_exposure(tmp_path / "d.fits")
    assert given.psf.regions
    assert read.psf.regions == given.psf.regions
    for box in given.psf.boxes:
        for x in (box.x0 - 3.0, box.x0, box.center[0]):
            stamps = (e.psf.kernel_image(x=x, y=box.y0) for e in (given, read))
            np.testing.assert_array_equal(*stamps)


def test_the_table_has_a_row_a_cell_with_its_numbers(difference, back):
    assert len(back.cells) == len(difference.cells)
    for row, cell in zip(back.cells, difference.cells, strict=True):
        assert row["name"] == cell.cell.name
        assert tuple(row[f"inner_{k}"] for k in ("x0", "y0", "width", "height")) == tuple(
            cell.cell.inner
        )
        assert row["ok"] == cell.ok
        assert row["flags"].split() == [flag.name for flag in cell.flags]
        assert all(flag.cause in row["causes"] for flag in cell.flags)
        assert np.array_equal(row["flux_diff"], cell.flux_diff, equal_nan=True)
        assert np.array_equal(row["centroid_science_x"], cell.centroid_science[0], equal_nan=True)
        assert row["config_hash"] == cell.config_hash


def test_the_settings_come_back_with_their_hash(difference, back):
    config = ZogyConfig.from_dict(back.config)
    assert config.hash() == difference.plan.config_hash == back.header["ZEXPHASH"]


def test_without_a_score_there_is_none(pair, tmp_path):
    result = run(plan(*pair, ZogyConfig()), calculate_score=False)
    write_difference(result, tmp_path / "d.fits")
    back = read_difference(tmp_path / "d.fits")
    assert back.score is None
    assert back.scorr is None


def test_the_file_opens_as_an_exposure_too(difference, tmp_path):
    write_difference(difference, tmp_path / "d.fits")
    exposure = read_exposure(tmp_path / "d.fits")
    assert np.array_equal(exposure.image, difference.diff.image)


def test_the_file_has_the_documented_extensions(difference, tmp_path):
    write_difference(difference, tmp_path / "d.fits")
    with fits.open(tmp_path / "d.fits") as hdus:
        names = {hdu.name for hdu in hdus}
        hdus.verify("exception")
    assert names >= {
        "PRIMARY",
        "IMAGE",
        "VARIANCE",
        "MASK",
        "PSF",
        "SCORE",
        "SCORE_VARIANCE",
        "SCORR",
        "SCORE_PSF",
        "CELLS",
        "CONFIG",
    }


def test_an_exposure_is_no_difference(pair, tmp_path):
    write_exposure(pair[0], tmp_path / "e.fits")
    with pytest.raises(ReadError, match="it is not a difference file"):
        read_difference(tmp_path / "e.fits")


def test_noise_terms_come_back_to_the_bit_and_only_where_they_are_on(pair, back, tmp_path):
    assert back.astrometric_variance is None
    assert back.flux_variance is None
    noise = ((0.13, 0.06), (0.02, 0.03))
    config = ZogyConfig(astrometricNoise=noise, fluxScaleError=0.02, maxPsfCentroidDist=1.0)
    result = run(plan(*pair, config))
    write_difference(result, tmp_path / "terms.fits")
    read = read_difference(tmp_path / "terms.fits")
    for name in ("astrometric_variance", "flux_variance"):
        assert getattr(read, name).tobytes() == getattr(result, name).tobytes()
    total = read.score.variance + read.astrometric_variance + read.flux_variance
    np.testing.assert_allclose(read.scorr, read.score.image / np.sqrt(total), rtol=1e-5)
    cards = [read.header[name] for name in ("ZEXPAXN", "ZEXPAYN", "ZEXPAXR", "ZEXPAYR")]
    assert cards == [0.13, 0.06, 0.02, 0.03]
    assert ZogyConfig.from_dict(read.config).astrometricNoise == noise


def test_a_difference_of_injected_images_says_which_sources_they_are(pair, tmp_path):
    science, template = pair
    lit = inject(science, [60.0, 90.5], [70.0, 40.25], [800.0, 900.0], rng=1)
    lit = lit.replace(meta=lit.meta | {"HISTORY": "overscan off\n" + lit.meta["HISTORY"]})
    faded = inject(template, 30.0, 30.0, 700.0, rng=2)
    write_difference(run(plan(lit, faded, ZogyConfig())), tmp_path / "d.fits")
    header = fits.getheader(tmp_path / "d.fits")
    assert header["NINJECT"] == 3
    assert list(header["HISTORY"]) == [
        "science: injected x=60.000 y=70.000 flux=800",
        "science: injected x=90.500 y=40.250 flux=900",
        "template: injected x=30.000 y=30.000 flux=700",
    ]


def test_a_difference_of_images_as_they_came_tells_of_no_injection(difference):
    assert not {"NINJECT", "HISTORY"} & set(difference.diff.meta)
