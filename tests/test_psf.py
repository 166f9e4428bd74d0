from __future__ import annotations

import pickle

import numpy as np
import pytest

from zogy_explorer.errors import PsfError
from zogy_explorer.psf import CallablePsf, GridPsf, KernelPsf, Psf, average_position, unit_sum

RNG = np.random.default_rng(3)


def bump(sigma: float, size: int = 11) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - size // 2
    return np.exp(-(x**2 + y**2) / (2 * sigma**2))


def grid_psf(xs, ys) -> GridPsf:
    positions = [(x, y) for y in ys for x in xs]
    return GridPsf([bump(1.0 + 0.1 * i) for i in range(len(positions))], positions)


# ---- unit sum


@pytest.mark.parametrize("size", [5, 21, 64, 101])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 3e7])
def test_normalising_twice_gives_the_same_bits(size, scale):
    for _ in range(20):
        once = unit_sum(scale * RNG.random((size, size)))
        assert np.array_equal(unit_sum(once), once)


def test_normalising_a_stamp_with_negative_wings_twice_gives_the_same_bits():
    for _ in range(50):
        once = unit_sum(bump(1.5) + RNG.normal(0, 0.05, (11, 11)))
        assert np.array_equal(unit_sum(once), once)


def test_a_float32_stamp_is_brought_to_unit_sum_in_double_precision():
    stamp = unit_sum(bump(1.5).astype(">f4"))
    assert stamp.dtype == np.dtype(np.float64)
    assert stamp.sum() == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize(
    ("stamp", "message"),
    [
        (np.ones(5), "a 2-D image of the PSF is needed"),
        (np.ones((0, 5)), "a 2-D image of the PSF is needed"),
        (np.full((3, 3), np.nan), "9 non-finite pixels"),
        (np.zeros((3, 3)), "sums to 0: a PSF needs a positive sum"),
        (-np.ones((3, 3)), "sums to -9"),
    ],
)
def test_an_unusable_stamp_is_refused_with_its_value(stamp, message):
    with pytest.raises(PsfError, match=message):
        KernelPsf(stamp)


# ---- models


def test_a_kernel_psf_is_the_same_everywhere_and_read_only():
    psf = KernelPsf(bump(1.5))
    assert psf.kernel_image(x=0, y=0) is psf.kernel_image(x=1e4, y=-3)
    assert not psf.stamp.flags.writeable
    assert isinstance(psf, Psf)


def test_grid_nodes_give_their_own_stamps():
    psf = grid_psf([0, 50, 200], [10, 90])
    for i, (x, y) in enumerate(psf.positions):
        assert psf.weights(x, y).tolist() == np.eye(6)[i].tolist()
        assert np.allclose(psf.kernel_image(x=x, y=y), psf.stamps[i], rtol=0, atol=1e-16)


@pytest.mark.parametrize("x", [-40.0, 0.0, 13.7, 77.0, 150.0, 400.0])
@pytest.mark.parametrize("y", [-5.0, 10.0, 42.0, 90.0, 300.0])
@pytest.mark.parametrize("scattered", [False, True])
def test_weights_are_a_partition_of_unity(x, y, scattered):
    psf = grid_psf([0, 50, 200], [10, 90])
    if scattered:
        psf = GridPsf(psf.stamps, psf.positions + np.random.default_rng(1).uniform(-9, 9, (6, 2)))
    weights = psf.weights(x, y)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert (weights >= -1e-12).all()


def test_interpolation_is_exact_for_a_linear_field():
    for positions in (
        [(x, y) for x in (0, 30, 100) for y in (0, 60)],
        np.random.default_rng(2).uniform(0, 100, (12, 2)),
    ):
        psf = GridPsf([bump(1.5)] * len(positions), positions)
        inside = np.mean(psf.positions, axis=0)
        assert np.allclose(psf.weights(*inside) @ psf.positions, inside, atol=1e-9)


def test_outside_of_the_grid_the_nearest_point_counts():
    psf = grid_psf([0, 50, 200], [10, 90])
    assert np.allclose(psf.weights(-100, -100), psf.weights(0, 10))
    assert np.allclose(psf.weights(500, 50), psf.weights(200, 50))


def test_outside_of_a_triangle_the_nearest_point_of_its_edge_counts():
    psf = GridPsf([bump(1.0), bump(1.2), bump(1.4)], [(0, 0), (100, 0), (0, 100)])
    assert np.allclose(psf.weights(50, -30), [0.5, 0.5, 0.0])
    assert np.allclose(psf.weights(90, 90), [0.0, 0.5, 0.5])


def test_positions_on_a_line_interpolate_along_it():
    diagonal = GridPsf([bump(1.0), bump(1.2), bump(1.4)], [(0, 0), (100, 100), (20, 20)])
    assert np.allclose(diagonal.weights(10, 10), [0.5, 0.0, 0.5])
    assert np.allclose(diagonal.weights(-50, -50), [1.0, 0.0, 0.0])
    row = grid_psf([0, 40, 100], [7])
    assert np.allclose(row.weights(20, 999), [0.5, 0.5, 0.0])


def test_a_single_stamp_counts_everywhere():
    psf = grid_psf([5], [9])
    assert psf.weights(-3, 1000).tolist() == [1.0]


def test_two_stamps_at_one_position_still_make_a_psf():
    psf = GridPsf([bump(1.0), bump(1.2)], [(3, 3), (3, 3)])
    assert psf.weights(0, 0).sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("stamps", "positions", "message"),
    [
        (np.ones((2, 5, 5)), [(0, 0)], "n stamps .* need n positions"),
        (np.ones((5, 5)), [(0, 0)], "n stamps .* need n positions"),
        (np.ones((1, 5, 5)), [(np.nan, 0)], "positions are not all finite"),
        ([np.ones((5, 5)), np.zeros((5, 5))], [(0, 0), (1, 1)], "PSF stamp 1 sums to 0"),
    ],
)
def test_an_unusable_grid_is_refused(stamps, positions, message):
    with pytest.raises(PsfError, match=message):
        GridPsf(stamps, positions)


def test_a_callable_is_asked_at_the_position_and_normalised():
    psf = CallablePsf(lambda x, y: bump(1.0 + x / 100 + y / 1000))
    assert np.allclose(psf.kernel_image(x=50, y=100), unit_sum(bump(1.6)))
    with pytest.raises(PsfError, match=r"PSF stamp at \(1, 2\)"):
        CallablePsf(lambda x, y: np.zeros((3, 3))).kernel_image(x=1, y=2)


def test_models_survive_pickling():
    for psf in (KernelPsf(bump(1.5)), grid_psf([0, 50], [0, 50])):
        again = pickle.loads(pickle.dumps(psf))
        assert np.array_equal(again.kernel_image(x=10, y=20), psf.kernel_image(x=10, y=20))


def test_the_typical_position_is_the_psfs_own_or_the_centre():
    class Method:
        def average_position(self):
            return (3, 4)

    class Point:
        x, y = 5.0, 6.0

    class Attribute:
        average_position = Point()

    assert average_position(KernelPsf(bump(1.5)), (7, 8)) == (7.0, 8.0)
    assert average_position(Method(), (0, 0)) == (3.0, 4.0)
    assert average_position(Attribute(), (0, 0)) == (5.0, 6.0)
    own = CallablePsf(lambda x, y: bump(1), average_position=(1, 2))
    assert average_position(own, (0, 0)) == (1.0, 2.0)
