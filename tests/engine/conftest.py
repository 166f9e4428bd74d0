"""Fixtures of the engine's tests: Gaussian PSFs, pairs of noise, added stars."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from zogy_explorer import Exposure, KernelPsf


def gaussian_stamp(
    sigma: float | tuple[float, float] = 1.5,
    shape: int | tuple[int, int] = 25,
    offset: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """Unit-sum Gaussian with its centre at pixel n // 2, moved by ``offset`` (x, y)."""
    ny, nx = (shape, shape) if isinstance(shape, int) else shape
    sx, sy = (sigma, sigma) if isinstance(sigma, float) else sigma
    y, x = np.arange(ny)[:, None] - ny // 2, np.arange(nx)[None, :] - nx // 2
    stamp = np.exp(-((x - offset[0]) ** 2) / (2 * sx**2) - (y - offset[1]) ** 2 / (2 * sy**2))
    return stamp / stamp.sum()


@pytest.fixture(scope="session")
def gaussian() -> Callable[..., np.ndarray]:
    """`gaussian_stamp`."""
    return gaussian_stamp


@pytest.fixture(scope="session")
def noise_pair() -> Callable[..., tuple[Exposure, Exposure]]:
    """Factory of a pair of empty skies of white noise: different PSFs and σ, same flux scale."""

    def make(
        shape: tuple[int, int] = (96, 90),
        *,
        seed: int = 1,
        sigmas: tuple[float, float] = (3.0, 2.0),
        widths: tuple[float, float] = (1.8, 1.3),
        sides: tuple[int | tuple[int, int], int | tuple[int, int]] = (25, 21),
        dtype: type = np.float64,
        **changes: object,
    ) -> tuple[Exposure, Exposure]:
        rng = np.random.default_rng(seed)
        return tuple(
            Exposure(
                rng.normal(0, sigma, shape).astype(dtype),
                variance=np.full(shape, sigma**2, dtype),
                psf=KernelPsf(gaussian_stamp(width, side)),
                name=name,
                **changes,
            )
            for sigma, width, side, name in zip(
                sigmas, widths, sides, ("science", "template"), strict=True
            )
        )

    return make


@pytest.fixture(scope="session")
def add_star() -> Callable[..., Exposure]:
    """Factory of a copy of an exposure with a star of ``flux`` at pixel (x, y), noise-free."""

    def add(exposure: Exposure, x: int, y: int, flux: float) -> Exposure:
        image = exposure.image.copy()
        stamp = np.asarray(exposure.psf.kernel_image(x=x, y=y))
        h, w = stamp.shape
        rows = np.arange(h) - h // 2 + y - exposure.xy0[1]
        columns = np.arange(w) - w // 2 + x - exposure.xy0[0]
        keep_y = (rows >= 0) & (rows < image.shape[0])
        keep_x = (columns >= 0) & (columns < image.shape[1])
        image[np.ix_(rows[keep_y], columns[keep_x])] += flux * stamp[np.ix_(keep_y, keep_x)]
        return exposure.replace(image=image)

    return add
