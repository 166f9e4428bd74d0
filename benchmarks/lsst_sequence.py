"""The sequence of transforms that LSST's ``ZogyTask`` made for one cell, as a yardstick.

Not its code: the count and kind of transforms (20 complex double-precision FFTs at the next power
of two: six forward of PSFs, images and variances, eight for the squared kernels, six inverse) with
the ZOGY equations between them, in plain numpy arithmetic, on the grid that it would use.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from zogy_explorer import Box, Exposure, ZogyConfig
from zogy_explorer.engine import generate_grid
from zogy_explorer.engine.fourier import pad_center_origin
from zogy_explorer.engine.padding import cut_with_constant


def subtract(science: Exposure, template: Exposure, border: int, *, grid: bool) -> np.ndarray:
    """D over the whole frame by the sequence, cell after cell."""
    bbox = science.bbox
    side = int(border * ZogyConfig().gridInnerSize)
    inner = (side, side) if grid else (bbox.width, bbox.height)
    out = np.empty(bbox.shape)
    for cell in generate_grid(bbox, (border, border), inner, sizing="powerOfTwo"):
        plane = _cell(science, template, bbox, cell.inner, cell.outer)
        inside = cell.inner.slices((cell.outer.x0, cell.outer.y0))
        out[cell.inner.slices((bbox.x0, bbox.y0))] = plane[inside]
    return out


def _cell(science: Exposure, template: Exposure, bbox: Box, inner: Box, outer: Box) -> np.ndarray:
    shape = outer.shape
    x, y = outer.center

    assert science.psf is not None
    assert template.psf is not None
    assert science.variance is not None
    assert template.variance is not None

    def transformed(plane: np.ndarray) -> np.ndarray:
        cut = cut_with_constant(plane, bbox, outer, 0.0)
        return scipy.fft.fft2(cut.astype(np.complex128))

    p_n, p_r = (
        scipy.fft.fft2(pad_center_origin(psf.kernel_image(x=x, y=y), shape).astype(complex))
        for psf in (science.psf, template.psf)
    )
    n, r = transformed(science.image), transformed(template.image)
    v_n, v_r = transformed(science.variance), transformed(template.variance)
    inside = inner.slices((bbox.x0, bbox.y0))
    var_n, var_r = (float(v[inside].mean()) for v in (science.variance, template.variance))
    denominator = var_n * np.abs(p_r) ** 2 + var_r * np.abs(p_n) ** 2
    root = np.sqrt(denominator)
    c_n, c_r = p_r / root, p_n / root
    k_n = np.conj(p_n) * np.abs(p_r) ** 2 / denominator
    k_r = np.conj(p_r) * np.abs(p_n) ** 2 / denominator
    p_d = np.sqrt(var_n + var_r) * p_n * p_r / root
    spectra = (
        c_n * n - c_r * r,
        _squared(c_n) * v_n + _squared(c_r) * v_r,
        p_d,
        k_n * n - k_r * r,
        _squared(k_n) * v_n + _squared(k_r) * v_r,
        np.abs(p_d) ** 2 + 0j,
    )
    planes = [scipy.fft.ifft2(spectrum).real for spectrum in spectra]
    return planes[0]


def _squared(kernel: np.ndarray) -> np.ndarray:
    return scipy.fft.fft2(scipy.fft.ifft2(kernel) ** 2)
