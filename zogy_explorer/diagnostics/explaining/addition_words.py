"""What is new, bad or left over in plain words and units: sources, hits, damage, ringing."""

from __future__ import annotations

import numpy as np

from zogy_explorer.diagnostics.explaining.causes import number
from zogy_explorer.diagnostics.explaining.findings import IMAGES, Finding, Inquiry, Size


def new_source(finding: Finding, inquiry: Inquiry) -> Size:
    """A point source that only one image has."""
    fit, source = finding.fit, finding.source
    assert fit is not None
    assert source is not None
    flux, error = fit.values["source"], fit.errors["source"]
    what = "A point source is new or brighter" if flux > 0 else "A point source is gone or fainter"
    return Size(
        flux,
        error,
        "calibrated unit",
        f"{what} in the science image at ({source.x:.2f}, {source.y:.2f}): flux "
        f"{number(flux, error)}, shaped like P_D.",
        "A candidate for a real change: check other epochs and catalogues.",
        {
            "flux": flux,
            "flux_error": error,
            "x": source.x,
            "y": source.y,
            "x_error": source.x_error,
            "y_error": source.y_error,
        },
    )


def cosmic_ray(finding: Finding, inquiry: Inquiry) -> Size:
    """Charge that never went through the optics; fitted, or flagged in a mask."""
    fit, hits = finding.fit, finding.hits
    if fit is None or hits is None:
        return damaged(finding, inquiry)
    names = [t.name for t in hits.templates]
    charge = sum(fit.values[name] for name in names)
    error = float(np.sqrt(sum(fit.errors[name] ** 2 for name in names)))
    x, y = hits.pixels[0]
    n = len(hits.pixels)
    what = "A particle hit or hot pixel" if charge > 0 else "A dead or cold pixel"
    return Size(
        charge,
        error,
        "calibrated unit",
        f"{what} in the {IMAGES[hits.image]} at ({x}, {y}){f' and {n - 1} more px' * (n > 1)}: "
        f"charge {number(charge, error)}, too sharp for its PSF.",
        "Mask it in that image (plane CR or BAD): it is then filled before the transform.",
        {
            "charge": charge,
            "charge_error": error,
            "x": float(x),
            "y": float(y),
            "pixels": float(n),
            "image": float(hits.image),
        },
    )


def damaged(finding: Finding, inquiry: Inquiry) -> Size:
    """Pixels that are known to be bad or missing."""
    n = len({(x, y) for _, x, y in finding.pixels})
    images = " and the ".join(IMAGES[i] for i in sorted({i for i, _, _ in finding.pixels}))
    planes = f" ({', '.join(finding.planes)})" if finding.planes else ""
    sentence, advice = _DAMAGE[finding.name]
    nearest = min(float(np.hypot(x - inquiry.x, y - inquiry.y)) for _, x, y in finding.pixels)
    return Size(
        float(n),
        0.0,
        "pixels",
        f"{sentence.format(n=n, images=images, planes=planes)}; the nearest is {nearest:.1f} px "
        "away.",
        advice,
        {"pixels": float(n), "distance": nearest},
    )


_DAMAGE = {
    "saturation": (
        "{n} pixels of the {images} are saturated here{planes}, so that their light is lost",
        "Do not trust D within the reach of the kernels around a saturated star; a shorter "
        "exposure helps.",
    ),
    "masked": (
        "{n} pixels of the {images} are masked here{planes} and were replaced",
        "D is made of interpolated pixels here; look at the input images.",
    ),
    "cosmic_ray": (
        "{n} pixels of the {images} are flagged as hit by particles{planes}",
        "They were replaced if fillMasked is on; what is left is the error of the replacement.",
    ),
    "edge": (
        "{n} pixels within reach lie beyond the edge of the frame, where padding stands for light",
        "Near the edge the light beyond it is missing; leave such places out of any list.",
    ),
}


def ringing(finding: Finding, inquiry: Inquiry) -> Size:
    """What the kernels or the frequency floor carry here from elsewhere."""
    fit = finding.fit
    assert fit is not None
    amplitude, error = fit.values["ringing"], fit.errors["ringing"]
    if finding.far is None:
        return Size(
            amplitude,
            error,
            "of the expected",
            "The frequency floor leaves this pattern around bright light: it is "
            f"{number(amplitude, error)} times what ε = {inquiry.cell.frequency_floor:.2g} gives.",
            "Lower frequencyFloor, or give smoother PSF stamps, which need less of it.",
            {"amplitude": amplitude, "amplitude_error": error},
        )
    (x, y), image = finding.far.pixels[0], finding.far.image
    distance = float(np.hypot(x - inquiry.x, y - inquiry.y))
    return Size(
        amplitude,
        error,
        "calibrated unit",
        f"The kernels of D carry a bad pixel of the {IMAGES[image]} at ({x}, {y}), "
        f"{distance:.0f} px away, to here: charge {number(amplitude, error)}.",
        "Mask that pixel (plane CR or BAD): it is then filled before the transform.",
        {"charge": amplitude, "charge_error": error, "x": float(x), "y": float(y)},
    )
