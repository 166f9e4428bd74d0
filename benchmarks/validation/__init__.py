"""Trials on simulated pairs with known answers, and what they say of the engine's promises.

`noise_trial` subtracts empty skies: σ, mean and tails of Scorr, covariances of D by lag.
`source_trial` subtracts skies with injected sources: flux, significance and position against
the truth. `judge` turns their sums into claims. ``validate.py`` runs many of them, the tests a few.
"""

from validation.claims import Claim, Judged, judge
from validation.scenes import SCENES, Scene
from validation.trials import Sums, add, noise_trial, source_trial

__all__ = [
    "SCENES",
    "Claim",
    "Judged",
    "Scene",
    "Sums",
    "add",
    "judge",
    "noise_trial",
    "source_trial",
]
