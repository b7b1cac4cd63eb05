"""What follows from the covariances of the items: alpha, its parts, and the two-item case."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import fdtri, ndtri

from surveywaves.reliability.answers import Answers, Array, Row
from surveywaves.tidy import Status

FLAT: Row = {"status": Status.NOT_ESTIMABLE, "note": "the total score does not vary"}
BACKWARD = "negative: items run against each other, check their keys"


def alpha(answers: Answers) -> Row:
    """Cronbach's alpha with the interval of Feldt, Woodruff & Salih (1987, formula 6)."""
    if np.ptp(answers.total) == 0:
        return FLAT
    found = float(alpha_of(np.diag(answers.covariance).sum(), answers.covariance.sum(), answers.k))
    df = answers.n - 1, (answers.n - 1) * (answers.k - 1)
    tail = (1 - answers.options.confidence) / 2
    low, high = (1 - (1 - found) * float(fdtri(*df, share)) for share in (1 - tail, tail))
    return {"estimate": found, "conf_low": low, "conf_high": high, "note": BACKWARD if found < 0 else ""}


def mean_inter_item_r(answers: Answers) -> Row:
    """Mean correlation between two items."""
    return {"estimate": float(answers.correlation[np.triu_indices(answers.k, 1)].mean())}


def spearman_brown(answers: Answers) -> Row:
    """Reliability of the sum of two items as parallel halves, 2 r / (1 + r), with r's interval by Fisher's z."""
    if np.ptp(answers.total) == 0:
        return FLAT
    r = float(answers.correlation[0, 1])
    if 1 + r < 1e-9:
        return {"status": Status.NOT_ESTIMABLE, "note": "the two items are each other's opposite"}
    row: Row = {"estimate": stepped_up(r)}
    if answers.n > 3 and 1 - r > 1e-9:
        half = float(ndtri((1 + answers.options.confidence) / 2)) / np.sqrt(answers.n - 3)
        row["conf_low"], row["conf_high"] = (
            float(stepped_up(np.tanh(np.arctanh(r) + side * half))) for side in (-1, 1)
        )
    return row


def item_rest_r(answers: Answers) -> Array:
    """Correlation of each item with the sum of the others."""
    own = np.diag(answers.covariance)
    with_rest = answers.covariance.sum(axis=1) - own
    return np.asarray(with_rest / np.sqrt(own * _rest_variance(answers)), dtype=np.float64)


def alpha_if_dropped(answers: Answers) -> Array:
    """Alpha of the other items, for each item."""
    if answers.k < 3:
        return np.full(answers.k, np.nan)
    own = np.diag(answers.covariance)
    return np.asarray(alpha_of(own.sum() - own, _rest_variance(answers), answers.k - 1), dtype=np.float64)


def alpha_of(item_variances: Any, total_variance: Any, k: int) -> Any:
    """Cronbach's alpha from the sum of the k item variances and the variance of the total."""
    return k / (k - 1) * (1 - item_variances / total_variance)


def stepped_up(r: Any) -> Any:
    """Spearman-Brown: reliability of two halves that correlate r."""
    return 2 * r / (1 + r)


def _rest_variance(answers: Answers) -> Array:
    """Variance of the sum of the other items, for each item; missing where that sum does not vary."""
    rest = answers.total[:, None] - answers.scores
    variance = answers.covariance.sum() - 2 * answers.covariance.sum(axis=1) + np.diag(answers.covariance)
    return np.where(np.ptp(rest, axis=0) > 0, variance, np.nan)
