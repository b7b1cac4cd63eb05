"""Reliability of scales: how far the items of a scale go together, in every wave and organisation.

Everything here comes from the covariance matrix of the scored items among respondents who answered them all. Each
estimator takes the answers of one wave and organisation and gives its rows; `reliability` calls them all, everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import f as f_distribution

from surveywaves.tidy import ALL, Status, tidy

ANALYSIS: Final = "reliability"

_Row: TypeAlias = dict[str, Any]


def reliability(
    frame: pd.DataFrame,
    *,
    scale: str,
    items: Sequence[str],
    keys: Mapping[str, int],
    response_range: tuple[int, int],
    waves: Sequence[str],
    organisations: Sequence[str],
    confidence: float = 0.95,
    min_n: int = 10,
) -> pd.DataFrame:
    """Estimate the reliability of one scale by wave and organisation.

    Only respondents who answered all the items count, and an item that no one was asked in a wave is left out there.
    Over all waves, the items are those that every wave asked, among the waves that asked any. An item that
    everyone here answered alike is left out too: it says nothing about how answers go together (psych::alpha does
    the same). The note names every item and wave that was left out.

    Parameters
    ----------
    frame
        One row a respondent: `wave`, `organisation` (may be missing: these respondents count under ``all`` only) and
        the items, as worded, whole numbers in `response_range`, missing where not answered.
    scale
        Name of the scale.
    items
        Its items.
    keys
        Item -> +1, or -1 if agreeing means less of what the scale measures: scored low + high - answer.
    response_range
        Lowest and highest response.
    waves, organisations
        Those to report, in this order. Respondents of other waves do not count; those of other organisations count
        under ``all``.
    confidence
        Confidence level of the intervals.
    min_n
        Fewest respondents to estimate anything from.

    Returns
    -------
    DataFrame
        Tidy (see `surveywaves.tidy`), `analysis` = ``reliability``: for each wave its organisations and ``all``,
        then wave ``all`` with organisation ``all``. The terms, with k items, their covariances c_ij, and V the
        sum of all c_ij, the variance of the total score:

        ``alpha``
            Cronbach's alpha, k / (k - 1) (1 - sum c_ii / V), with the interval of Feldt, Woodruff & Salih (1987):
            (1 - population alpha) / (1 - alpha) follows F(n - 1, (n - 1)(k - 1)).
        ``mean_inter_item_r``
            Mean of the k (k - 1) / 2 correlations between items.
        ``spearman_brown``
            For two items, 2 r / (1 + r); Eisinga, te Grotenhuis & Pelzer (2013) prefer it to alpha there.
        ``item_rest_r``
            For each item, its correlation with the sum of the others.
        ``alpha_if_dropped``
            For each item, alpha of the others; not estimable from one.

        `n` is the number of respondents used. `status` is ``too_few`` with fewer than `min_n` of them or fewer than
        two items to go by, and ``not_estimable`` if nobody answered at all, nobody was asked, or what the estimate
        divides by is zero.

    Raises
    ------
    ValueError
        If a column is missing, a key is not +1 or -1, an answer is not a whole number in the response range, an
        item is listed twice, or an option makes no sense.

    References
    ----------
    Cronbach LJ (1951). Psychometrika 16:297-334. Feldt LS, Woodruff DJ, Salih FA (1987). Statistical inference for
    coefficient alpha. Applied Psychological Measurement 11:93-103. Eisinga R, te Grotenhuis M, Pelzer B (2013).
    International Journal of Public Health 58:637-642.

    Examples
    --------
    In R: ``psych::alpha(na.omit(scored))`` gives ``raw_alpha``, ``average_r``, ``feldt``, ``r.drop``, and ``raw_alpha``
    of ``alpha.drop``.
    """
    _check(frame, items, keys)
    if not response_range[0] < response_range[1]:
        raise ValueError(f"response range {response_range} is empty")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence} is not between 0 and 1")
    if min_n < 2:
        raise ValueError(f"min_n {min_n} is below 2: one respondent has no variance")
    scores = _scored(frame, items, keys, response_range)
    in_wave = {name: _is(frame["wave"], name) for name in waves}
    in_organisation = {name: _is(frame["organisation"], name) for name in organisations}
    in_organisation[ALL] = np.ones(len(frame), dtype=np.bool_)
    asked = {name: _answered(scores[in_wave[name]]) for name in waves}
    answers_of = partial(_Answers.of, items=items, confidence=confidence, min_n=min_n)

    rows: list[_Row] = []
    for wave in waves:
        remark = _remark("not asked", items, ~asked[wave])
        for organisation, member in in_organisation.items():
            answers = answers_of(scores[in_wave[wave] & member], asked=asked[wave], remark=remark)
            rows += [{"wave": wave, "organisation": organisation, **row} for row in _rows(answers)]

    asking = [wave for wave in waves if asked[wave].any()] or list(waves)
    common = np.logical_and.reduce([asked[wave] for wave in asking])
    somewhere = np.logical_or.reduce([in_wave[wave] for wave in asking])
    remarks = (
        _remark("not asked in every wave", items, ~common),
        _remark("waves that did not ask", waves, [wave not in asking for wave in waves]),
    )
    pooled = answers_of(scores[somewhere], asked=common, remark=_join(*remarks))
    rows += [{"wave": ALL, "organisation": ALL, **row} for row in _rows(pooled)]
    return tidy({"analysis": ANALYSIS, "scale": scale, **row} for row in rows)


@dataclass(frozen=True)
class _Answers:
    """The scored answers of one wave and organisation, respondents x items, complete and only items that vary.

    `asked` are all its items, `items` those of them that vary; `present` is the number of respondents, complete or not;
    `note` says what was left out.
    """

    scores: NDArray[np.float64]
    items: tuple[str, ...]
    asked: tuple[str, ...]
    present: int
    confidence: float
    min_n: int
    note: str

    @classmethod
    def of(
        cls,
        scores: NDArray[np.float64],
        *,
        items: Sequence[str],
        asked: NDArray[np.bool_],
        confidence: float,
        min_n: int,
        remark: str,
    ) -> _Answers:
        """Leave out the items that were not asked, the incomplete answers, and then the constant items."""
        complete = scores[:, asked]
        complete = complete[~np.isnan(complete).any(axis=1)]
        names = [item for item, was_asked in zip(items, asked, strict=True) if was_asked]
        constant = np.ptp(complete, axis=0) == 0 if len(complete) else np.zeros(len(names), dtype=np.bool_)
        return cls(
            scores=complete[:, ~constant],
            items=tuple(item for item, same in zip(names, constant, strict=True) if not same),
            asked=tuple(names),
            present=len(scores),
            confidence=confidence,
            min_n=min_n,
            note=_join(remark, _remark("everyone answered alike", names, constant)),
        )

    @property
    def n(self) -> int:
        """Respondents who answered every item."""
        return len(self.scores)

    @property
    def k(self) -> int:
        """Items that vary."""
        return len(self.items)

    @cached_property
    def covariance(self) -> NDArray[np.float64]:
        """Covariances of the items."""
        return np.asarray(np.cov(self.scores, rowvar=False), dtype=np.float64)

    @cached_property
    def correlation(self) -> NDArray[np.float64]:
        """Correlations of the items."""
        deviation = np.sqrt(np.diag(self.covariance))
        correlation: NDArray[np.float64] = self.covariance / np.outer(deviation, deviation)
        return correlation

    @cached_property
    def total(self) -> NDArray[np.float64]:
        """Total score of each respondent."""
        return np.asarray(self.scores.sum(axis=1), dtype=np.float64)

    @property
    def refusal(self) -> tuple[Status, str] | None:
        """Why nothing at all can be estimated; None if something can."""
        if not self.present:
            return Status.NOT_ESTIMABLE, "no respondents"
        if not self.asked:
            return Status.NOT_ESTIMABLE, "no item was asked"
        if len(self.asked) < 2:
            return Status.TOO_FEW, "only one item was asked"
        if self.n < self.min_n:
            return Status.TOO_FEW, f"fewer than {self.min_n} respondents answered every item"
        if self.k < 2:
            return Status.NOT_ESTIMABLE, "fewer than two items vary"
        return None


def _rows(answers: _Answers) -> Iterator[_Row]:
    """Every term of one wave and organisation."""
    scale_terms = [term for term in _SCALE_TERMS if term != "spearman_brown" or len(answers.asked) == 2]
    if answers.refusal:
        status, reason = answers.refusal
        refused = {"n": answers.n, "status": status, "note": _join(reason, answers.note)}
        yield from ({"term": term, **refused} for term in scale_terms)
        yield from ({"term": term, "item": item, **refused} for term in _ITEM_TERMS for item in answers.asked)
        return
    for term in scale_terms:
        estimated = _SCALE_TERMS[term](answers)
        yield {
            "term": term,
            "n": answers.n,
            **estimated,
            "note": _join(estimated.get("note", ""), answers.note),
        }
    for term, estimator in _ITEM_TERMS.items():
        estimates = dict(zip(answers.items, estimator(answers), strict=True))
        for item in answers.asked:
            yield {
                "term": term,
                "item": item,
                "n": answers.n,
                **_item_row(answers, item, estimates.get(item)),
            }


def _alpha(answers: _Answers) -> _Row:
    """Cronbach's alpha with Feldt's interval."""
    if np.ptp(answers.total) == 0:
        return {"status": Status.NOT_ESTIMABLE, "note": "the total score does not vary"}
    alpha = float(_alpha_of(np.diag(answers.covariance).sum(), answers.covariance.sum(), answers.k))
    df = answers.n - 1, (answers.n - 1) * (answers.k - 1)
    tail = (1 - answers.confidence) / 2
    quantiles = np.asarray(f_distribution.isf([tail, 1 - tail], *df))
    low, high = (1 - (1 - alpha) * quantiles).tolist()
    warning = "negative: items run against each other, check their keys" if alpha < 0 else ""
    return {"estimate": alpha, "conf_low": low, "conf_high": high, "note": warning}


def _mean_inter_item_r(answers: _Answers) -> _Row:
    """Mean correlation between two items."""
    return {"estimate": float(answers.correlation[np.triu_indices(answers.k, 1)].mean())}


def _spearman_brown(answers: _Answers) -> _Row:
    """Reliability of the sum of two items as parallel halves."""
    if np.ptp(answers.total) == 0:
        return {"status": Status.NOT_ESTIMABLE, "note": "the total score does not vary"}
    r = float(answers.correlation[0, 1])
    return {"estimate": 2 * r / (1 + r)}


def _item_rest_r(answers: _Answers) -> NDArray[np.float64]:
    """Correlation of each item with the sum of the others."""
    own = np.diag(answers.covariance)
    with_rest = answers.covariance.sum(axis=1) - own
    return np.asarray(with_rest / np.sqrt(own * _rest_variance(answers)), dtype=np.float64)


def _alpha_if_dropped(answers: _Answers) -> NDArray[np.float64]:
    """Alpha of the other items, for each item."""
    if answers.k < 3:
        return np.full(answers.k, np.nan)
    own = np.diag(answers.covariance)
    return np.asarray(_alpha_of(own.sum() - own, _rest_variance(answers), answers.k - 1), dtype=np.float64)


_SCALE_TERMS: Final[Mapping[str, Callable[[_Answers], _Row]]] = {
    "alpha": _alpha,
    "mean_inter_item_r": _mean_inter_item_r,
    "spearman_brown": _spearman_brown,
}
_ITEM_TERMS: Final[Mapping[str, Callable[[_Answers], NDArray[np.float64]]]] = {
    "item_rest_r": _item_rest_r,
    "alpha_if_dropped": _alpha_if_dropped,
}


def _item_row(answers: _Answers, item: str, estimate: float | None) -> _Row:
    """Lay an estimate for an item out, or say why there is none."""
    if estimate is not None and np.isfinite(estimate):
        return {"estimate": float(estimate)}
    if item not in answers.items:
        reason = "everyone answered alike"
    elif answers.k < 3:
        reason = "one item is left"
    else:
        reason = "the sum of the other items does not vary"
    return {"status": Status.NOT_ESTIMABLE, "note": reason}


def _alpha_of(item_variances: Any, total_variance: Any, k: int) -> Any:
    """Cronbach's alpha from the sum of the k item variances and the variance of the total."""
    return k / (k - 1) * (1 - item_variances / total_variance)


def _rest_variance(answers: _Answers) -> NDArray[np.float64]:
    """Variance of the sum of the other items, for each item; missing where that sum does not vary."""
    rest = answers.total[:, None] - answers.scores
    variance = answers.covariance.sum() - 2 * answers.covariance.sum(axis=1) + np.diag(answers.covariance)
    return np.where(np.ptp(rest, axis=0) > 0, variance, np.nan)


def _scored(
    frame: pd.DataFrame, items: Sequence[str], keys: Mapping[str, int], response_range: tuple[int, int]
) -> NDArray[np.float64]:
    """Score the items so that more always means more of what the scale measures; missing answers are NaN."""
    low, high = response_range
    answers = frame[list(items)].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~np.isnan(answers) & ((answers < low) | (answers > high) | (answers != np.round(answers)))
    if wrong.any():
        named = ", ".join(item for item, bad in zip(items, wrong.any(axis=0), strict=True) if bad)
        raise ValueError(f"answers that are not whole numbers from {low} to {high}: {named}")
    reversed_ = np.array([keys[item] == -1 for item in items])
    return np.where(reversed_, low + high - answers, answers)


def _answered(scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether anyone answered each item."""
    return np.asarray((~np.isnan(scores)).any(axis=0), dtype=np.bool_)


def _is(column: pd.Series[Any], name: str) -> NDArray[np.bool_]:
    return column.astype("string").eq(name).fillna(False).to_numpy(dtype=np.bool_)


def _remark(what: str, names: Sequence[str], marked: Iterable[bool]) -> str:
    """Say something of the marked names; empty if there is none."""
    named = [name for name, mark in zip(names, marked, strict=True) if mark]
    return f"{what}: {', '.join(named)}" if named else ""


def _join(*remarks: str) -> str:
    return "; ".join(filter(None, remarks))


def _check(frame: pd.DataFrame, items: Sequence[str], keys: Mapping[str, int]) -> None:
    if missing := [name for name in ("wave", "organisation", *items) if name not in frame.columns]:
        raise ValueError(f"the frame has no column {', '.join(missing)}")
    if len(set(items)) < len(items):
        raise ValueError("an item is listed twice")
    if unkeyed := [item for item in items if item not in keys or keys[item] not in (1, -1)]:
        raise ValueError(f"the key is not +1 or -1: {', '.join(unkeyed)}")
