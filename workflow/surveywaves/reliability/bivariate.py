"""The bivariate normal distribution, for many pairs of bounds and correlations at once."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import ndtr

from surveywaves.reliability.answers import Array

STEEPEST: Final = 0.999
"""Largest correlation for which `below` is right to 1e-14."""

_STEEP: Final = 0.9
_NODES: Final = {steep: np.polynomial.legendre.leggauss(n) for steep, n in ((False, 20), (True, 64))}


def below(a: Array, b: Array, rho: Array) -> Array:
    """Probability that two standard normal variables with correlation rho are below a and b.

    P = Phi(a) Phi(b) + 1 / (2 pi) times the integral over t from 0 to arcsin rho of
    exp(-(a^2 + b^2 - 2 a b sin t) / (2 cos^2 t)) (Drezner & Wesolowsky 1990, in the form of Genz 2004), by
    Gauss-Legendre: 20 nodes up to .9, 64 up to .999, right to 1e-14. Bounds must be finite; 40 is as good as
    infinite.

    Parameters
    ----------
    a, b, rho
        Arrays that broadcast together.
    """
    nodes, weights = _NODES[bool(np.abs(rho).max(initial=0.0) > _STEEP)]
    angle = np.arcsin(rho)[..., None]
    at = (nodes + 1) / 2 * angle
    sine = np.sin(at)
    a_, b_ = a[..., None], b[..., None]
    inside = np.exp((a_ * b_ * sine - (a_**2 + b_**2) / 2) / (1 - sine**2))
    return np.asarray(ndtr(a) * ndtr(b) + (inside @ weights) * angle[..., 0] / (4 * np.pi), dtype=np.float64)


def density(a: Array, b: Array, rho: Array) -> Array:
    """Density at a, b: also the derivative of `below` by rho."""
    left = 1 - rho**2
    return np.asarray(
        np.exp((rho * a * b - (a**2 + b**2) / 2) / left) / (2 * np.pi * np.sqrt(left)), dtype=np.float64
    )
