"""Whatever the pair looks like: an answer with finite planes, or an error of this package.

`pytest --hypothesis-profile=long --hypothesis-seed=1` tries more of them, and others.
"""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zogy_explorer import Box, Exposure, KernelPsf, ZogyConfig, ZogyTask
from zogy_explorer.engine import Difference, generate_grid
from zogy_explorer.engine.arithmetic import fast_installed
from zogy_explorer.errors import ZogyError
from zogy_explorer.masks import MASK_PLANES

ARITHMETICS = ["numpy", "fast"] if fast_installed() else ["numpy"]
NO_DATA = np.int32(1 << MASK_PLANES["NO_DATA"])


def stamp(sigma: float, shape: tuple[int, int], offset: float) -> np.ndarray:
    y, x = (np.arange(n) - n // 2 for n in shape)
    return np.exp(-(y[:, None] ** 2 + (x[None, :] - offset) ** 2) / (2 * sigma**2))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Exposure, Exposure]:
    shape = draw(st.tuples(st.integers(16, 70), st.integers(16, 70)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    unit = draw(st.sampled_from([1e-12, 1.0, 1e6]))
    exposures = []
    for name in ("science", "template"):
        sigma = draw(st.floats(0.1, 30.0))
        image = rng.normal(draw(st.sampled_from([0.0, 300.0])), sigma, shape)
        variance = np.full(shape, sigma**2)
        if draw(st.booleans()):
            variance *= rng.uniform(0.5, 2.0, shape)
        spoil(draw, rng, image, variance, sigma)
        image, variance = image * unit, variance * unit**2
        mask = np.zeros(shape, np.int32)
        for plane in draw(st.lists(st.sampled_from(sorted(MASK_PLANES)), max_size=3)):
            share = draw(st.sampled_from([0.002, 0.05, 0.5]))
            mask[rng.random(shape) < share] |= np.int32(1 << MASK_PLANES[plane])
        psf = stamp(
            draw(st.floats(0.6, 2.5)),
            draw(st.tuples(st.integers(7, 16), st.integers(7, 16))),
            draw(st.sampled_from([0.0, 0.05])),
        )
        exposures.append(
            Exposure(
                image.astype(dtype),
                variance=variance.astype(dtype),
                mask=mask,
                psf=KernelPsf(psf),
                xy0=(draw(st.integers(-500, 500)), draw(st.integers(-500, 500))),
                photo_calib=draw(st.sampled_from([1.0, 0.3])),
                name=name,
            )
        )
    return exposures[0], exposures[1]


def spoil(
    draw: st.DrawFn,
    rng: np.random.Generator,
    image: np.ndarray,
    variance: np.ndarray,
    sigma: float,
) -> None:
    """Some pixels become NaN, infinite, or very bright; some variances zero, negative or NaN."""
    values = [np.nan, np.inf, -np.inf, 1e5 * sigma, -1e5 * sigma]
    for value in draw(st.lists(st.sampled_from(values), max_size=3)):
        image[rng.random(image.shape) < draw(st.sampled_from([0.001, 0.02, 0.6]))] = value
    for value in draw(st.lists(st.sampled_from([0.0, -1.0, np.nan, np.inf, 1e6]), max_size=2)):
        variance[rng.random(image.shape) < draw(st.sampled_from([0.001, 0.02, 0.6]))] = value


@st.composite
def configs(draw: st.DrawFn) -> ZogyConfig:
    chosen = {
        "doSpatialGrid": draw(st.booleans()),
        "gridInnerSize": draw(st.sampled_from([0.5, 1.0, 3.0])),
        "padFill": draw(st.sampled_from(["noise", "mirror", "zero"])),
        "fftSizing": draw(st.sampled_from(["fast", "exact", "powerOfTwo"])),
        "fillMasked": draw(st.booleans()),
        "fillNonFinite": draw(st.sampled_from(["local", "local", "mean"])),
        "growMask": draw(st.sampled_from([0.0, 0.01])),
        "background": draw(st.sampled_from(["auto", "none", "constant"])),
        "blendCells": draw(st.sampled_from([0, 5])),
        "borderSize": draw(st.sampled_from([None, 4, 10, 20])),
        "frequencyFloor": draw(st.sampled_from([None, 0.0, 0.01])),
        "psfShape": draw(st.sampled_from(["both", "science"])),
        "centroidOrigin": draw(st.sampled_from(["fft", "geometric"])),
        "maxPsfCentroidDist": draw(st.sampled_from([0.2, 5.0])),
        "arithmetic": draw(st.sampled_from(ARITHMETICS)),
        "pieceSize": draw(st.sampled_from([512, 0, 24])),
        "astrometricNoise": draw(st.sampled_from([None, None, 0.2])),
        "fluxScaleError": draw(st.sampled_from([0.0, 0.0, 0.03])),
    }
    return ZogyConfig(**chosen)


@given(pair=pairs(), config=configs())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_pair_gives_finite_planes_or_an_error_of_this_package(
    pair: tuple[Exposure, Exposure], config: ZogyConfig
) -> None:
    try:
        result = ZogyTask(config=config).run(*pair)
    except ZogyError:
        return
    assert result.diffExp.shape == pair[0].shape
    assert result.diffExp.image.dtype == pair[0].image.dtype
    # LSST's rule for missing data also keeps variances below zero, which D's then inherits.
    assert_finite(result.difference, positive=config.fillNonFinite == "local")
    assert_cells_tell_the_truth(result.difference)
    if config.fillNonFinite == "local":
        assert_missing_is_marked(pair, result.difference)


def assert_finite(difference: Difference, *, positive: bool) -> None:
    for plane in (difference.diff.image, difference.score.image, difference.scorr):
        assert np.isfinite(plane).all()
        assert plane.shape == difference.diff.shape
    assert np.isfinite(difference.diff.variance).all()
    assert np.isfinite(difference.score.variance).all()
    assert (difference.score.variance > 0).all()
    if positive:
        assert (difference.diff.variance > 0).all()


def assert_cells_tell_the_truth(difference: Difference) -> None:
    for cell in difference.cells:
        assert cell.ok == all(flag.severity != "failed" for flag in cell.flags)
        assert cell.ok == (cell.worst != "failed")
        assert bool(cell.describe_failure()) != cell.ok
        xy0 = difference.diff.xy0
        if not cell.ok:
            assert (difference.diff.mask[cell.cell.inner.slices(xy0)] & NO_DATA).all()
            # Only bad data fail a cell here, never the engine itself.
            assert "CELL_ERROR" not in {flag.name for flag in cell.flags}
            continue
        for stamp_ in (cell.psf_diff, cell.psf_score):
            assert np.isfinite(stamp_).all()
            assert abs(stamp_.sum() - 1) < 1e-9
        assert 0 < cell.flux_score < np.inf
        assert 0 < cell.flux_diff < np.inf


def assert_missing_is_marked(pair: tuple[Exposure, Exposure], difference: Difference) -> None:
    missing = np.zeros(difference.diff.shape, bool)
    for exposure in pair:
        missing |= ~np.isfinite(exposure.image) | ~np.isfinite(exposure.variance)
        missing |= ~(exposure.variance > 0)
    assert (difference.diff.mask[missing] & NO_DATA).all()
    assert not difference.score.image[missing].any()
    assert (difference.score.variance[missing] == 1).all()
    # No bit of the inputs is lost.
    both = pair[0].mask | pair[1].mask
    np.testing.assert_array_equal(difference.diff.mask & both, both)


sizes = st.integers(1, 80)


@given(
    x0=st.integers(-1000, 1000),
    y0=st.integers(-1000, 1000),
    dims=st.tuples(sizes, sizes),
    inner=st.tuples(st.integers(1, 100), st.integers(1, 100)),
    edge=st.tuples(st.integers(0, 30), st.integers(0, 30)),
    least=st.tuples(st.integers(0, 120), st.integers(0, 120)),
    sizing=st.sampled_from(["fast", "powerOfTwo", "exact"]),
)
@settings(max_examples=4 * settings.default.max_examples)
def test_the_grid_covers_each_pixel_once_and_borders_are_wide_enough(
    x0: int,
    y0: int,
    dims: tuple[int, int],
    inner: tuple[int, int],
    edge: tuple[int, int],
    least: tuple[int, int],
    sizing: str,
) -> None:
    frame = Box(x0, y0, *dims)
    cells = generate_grid(frame, edge, inner, least, sizing=sizing)
    count = np.zeros(frame.shape, int)
    for number, cell in enumerate(cells):
        assert cell.index == number
        assert frame.contains(cell.inner)
        count[cell.inner.slices((x0, y0))] += 1
        assert cell.outer.contains(cell.inner)
        assert min(cell.inner.x0 - cell.outer.x0, cell.outer.end_x - cell.inner.end_x) >= edge[0]
        assert min(cell.inner.y0 - cell.outer.y0, cell.outer.end_y - cell.inner.end_y) >= edge[1]
        assert cell.outer.width % 2 == cell.outer.height % 2 == 0
        assert cell.outer.width >= least[0]
        assert cell.outer.height >= least[1]
    assert (count == 1).all()
    assert len({(cell.column, cell.row) for cell in cells}) == len(cells)
