"""The chapters, one a file, in the order in which they are read."""

from __future__ import annotations

from zogy_explorer.ui.teaching.chapter import Chapter
from zogy_explorer.ui.teaching.chapters import (
    fourier,
    gallery,
    grid,
    matching,
    naive,
    psf_error,
    psf_of_d,
    registration,
    score,
    source_noise,
    thresholds,
    two_images,
    white,
)

CHAPTERS: tuple[Chapter, ...] = (
    two_images.CHAPTER,
    naive.CHAPTER,
    matching.CHAPTER,
    fourier.CHAPTER,
    white.CHAPTER,
    psf_of_d.CHAPTER,
    score.CHAPTER,
    source_noise.CHAPTER,
    registration.CHAPTER,
    psf_error.CHAPTER,
    grid.CHAPTER,
    thresholds.CHAPTER,
    gallery.CHAPTER,
)
