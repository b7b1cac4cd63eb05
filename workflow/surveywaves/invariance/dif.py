"""Differential item functioning (DIF) by ordinal logistic regression, between waves and between organisations.

The answers of a scale are counted by who gave them, which is all that the nested models of an item need; what each
model adds is tested and sized; and the usual classes say when a difference matters (`flagged`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtri

from surveywaves.invariance.proportional_odds import Fit, failed, fit, intercepts
from surveywaves.mixed.contrasts import adjust_families
from surveywaves.reliability.answers import Array, Row, check, join, named, scored
from surveywaves.sample import Sample, Scale, paired
from surveywaves.terms import ALL, BETWEEN, CUTS, SIZES, Criterion, Size, Status
from surveywaves.tidy import tidy


def size_class(change: float, criterion: Criterion) -> Size:
    """Return the class of a change of Nagelkerke's R2.

    Jodoin & Gierl (2001): from .035 moderate, from .070 large. Zumbo (1999): from .13, from .26.
    """
    return SIZES[sum(change >= cut for cut in CUTS[criterion])]


def flagged(
    found: pd.DataFrame,
    *,
    criterion: Criterion = "jodoin_gierl",
    at_least: Size = "moderate",
    significance: float = 0.05,
) -> dict[str, list[str]]:
    """Name the items that work differently enough to matter.

    An item is flagged if in any comparison, by both kinds of difference at once, the adjusted p-value of its likelihood
    ratio is below `significance` and its change of R2 is `at_least` so large: with many respondents the first alone
    would flag trifles, with few the second alone would flag chance. Choose the comparisons by choosing rows of `found`.

    Parameters
    ----------
    found
        What `dif` found, of any number of scales.
    criterion
        Whose classes.
    at_least
        Smallest class that is flagged.
    significance
        Level of the adjusted p-value.

    Returns
    -------
    dict
        Scale -> its flagged items, in order of the table; every scale of `found` is there.
    """
    place = ["scale", "item", "wave", "organisation"]
    fine = found[found["status"] == Status.OK]
    tests = fine[(fine["term"] == "total_lr") & (fine["p_adjusted"] < significance)]
    cut = 0.0 if at_least == "negligible" else CUTS[criterion][SIZES.index(at_least) - 1]
    sizes = fine[(fine["term"] == "total_r2_change") & (fine["estimate"] >= cut)]
    hit = tests[place].merge(sizes[place], on=place)
    chosen = set(zip(hit["scale"], hit["item"], strict=True))
    scales: dict[str, list[str]] = {scale: [] for scale in found["scale"].unique()}
    for scale, item in dict.fromkeys(zip(found["scale"], found["item"], strict=True)):
        if (scale, item) in chosen:
            scales[scale].append(item)
    return scales


Mask: TypeAlias = NDArray[np.bool_]
_Codes: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True)
class Sheet:
    """The answers of a scale, scored from 0.

    `wave` is -1 outside the waves compared, `organisation` one beyond the last where there is none of those compared;
    `sizes` are the numbers of both.
    """

    scores: Array
    points: int
    wave: _Codes
    organisation: _Codes
    sizes: tuple[int, int]

    @classmethod
    def of(cls, sample: Sample, scores: Array, points: int) -> Sheet:
        """Take answers scored from 0, and who gave them from the sample."""
        organisation = _codes(sample.frame["organisation"], sample.organisations)
        return cls(
            scores=scores,
            points=points,
            wave=_codes(sample.frame["wave"], sample.waves),
            organisation=np.where(organisation < 0, len(sample.organisations), organisation),
            sizes=(len(sample.waves), len(sample.organisations)),
        )

    @cached_property
    def given(self) -> Mask:
        """Respondents x items: whether answered."""
        return ~np.isnan(self.scores)

    @cached_property
    def asked(self) -> Mask:
        """Waves x items: whether anyone answered."""
        return np.array([self.given[self.wave == wave].any(axis=0) for wave in range(self.sizes[0])]).reshape(
            self.sizes[0], self.scores.shape[1]
        )

    @cached_property
    def _counted(self) -> dict[tuple[int, bytes, bool], Counted]:
        return {}

    def counted(self, item: int, matched: Mask, *, with_item: bool) -> Counted:
        """Count who answered what: matching score x wave x organisation x answer, of an item.

        The matching score is the mean of the answered items among the matched ones, `with_item` or without. Either
        way only those count who answered the item and at least half of the others.
        """
        key = (item, matched.tobytes(), with_item)
        if key not in self._counted:
            self._counted[key] = self._count(item, matched, with_item)
        return self._counted[key]

    def _count(self, item: int, matched: Mask, with_item: bool) -> Counted:
        others = matched.copy()
        others[item] = False
        answered = self.given @ others.astype(np.intp)
        total = (self._filled @ others).astype(np.intp)
        enough = max(1, -(-int(others.sum()) // 2))
        valid = (self.wave >= 0) & self.given[:, item] & (answered >= enough)
        answer = self._filled[:, item].astype(np.intp)
        number = int(others.sum()) + with_item
        shape = (number + 1, number * (self.points - 1) + 1, self.sizes[0], self.sizes[1] + 1, self.points)
        where = (answered + with_item, total + answer * with_item, self.wave, self.organisation, answer)
        cells = np.ravel_multi_index(tuple(part[valid] for part in where), shape)
        counts = np.bincount(cells, minlength=int(np.prod(shape))).reshape(-1, *shape[2:]).astype(np.float64)
        seen = np.flatnonzero(counts.sum(axis=(1, 2, 3)))
        return Counted(counts[seen], (seen % shape[1]) / np.maximum(seen // shape[1], 1))

    @cached_property
    def _filled(self) -> Array:
        return np.where(self.given, self.scores, 0.0)


@dataclass(frozen=True)
class Comparison:
    """What is compared: groups by name and number, in which waves, matched on which items.

    `columns` say it in the table; `hindrance` says why nothing can be compared.
    """

    columns: Row
    names: tuple[str, ...]
    members: tuple[int, ...]
    waves: tuple[int, ...]
    matched: Mask
    hindrance: str

    @property
    def pair(self) -> bool:
        """Whether two groups are compared by name, not all at once."""
        return ALL not in self.columns.values()

    def of(self, counted: Counted, *, adjust: bool) -> Counted:
        """Put groups and strata in their places: score x group x stratum x answer."""
        if "wave" in self.columns:
            counts = counted.counts[:, list(self.members)]
        else:
            counts = counted.counts[:, list(self.waves)][:, :, list(self.members)].swapaxes(1, 2)
        return Counted(counts if adjust else counts.sum(axis=2, keepdims=True), counted.score)


def comparisons(
    sheet: Sheet, item: int, waves: Sequence[str], organisations: Sequence[str], against: str
) -> Iterator[Comparison]:
    """Yield every comparison of an item: of the waves, then of the organisations."""
    # A wave that asked the item and no other has nothing to match on.
    able = tuple(w for w in range(len(waves)) if sheet.asked[w, item] and sheet.asked[w].sum() > 1)
    for chosen, name in _sets(waves, [(later, earlier) for earlier, later in combinations(waves, 2)]):
        within = tuple(w for w in chosen if w in able) if name == ALL else chosen
        matched = _asked_in_all(sheet, within)
        hindrance = _hindrance(sheet, item, within, matched, waves)
        names = tuple(waves[w] for w in within)
        yield Comparison({"wave": name}, names, within, within, matched, hindrance)
    matched = _asked_in_all(sheet, able)
    hindrance = _hindrance(sheet, item, able, matched, waves)
    for chosen, name in _sets(organisations, paired(organisations, against)):
        names = tuple(organisations[o] for o in chosen)
        yield Comparison({"organisation": name}, names, chosen, able, matched, hindrance)


def _sets(names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[tuple[int, ...], str]]:
    """Yield all groups together, if there are more than two, and each pair that is asked for."""
    if len(names) > 2:
        yield tuple(range(len(names))), ALL
    for first, second in pairs:
        yield (names.index(first), names.index(second)), f"{first}{BETWEEN}{second}"


def _asked_in_all(sheet: Sheet, within: tuple[int, ...]) -> Mask:
    """Return which items all of some waves asked; none if there are no waves."""
    if not within:
        return np.zeros(sheet.scores.shape[1], dtype=np.bool_)
    return np.asarray(sheet.asked[list(within)].all(axis=0), dtype=np.bool_)


def _hindrance(sheet: Sheet, item: int, within: tuple[int, ...], matched: Mask, waves: Sequence[str]) -> str:
    """Return why an item cannot be compared in some waves at all; empty if it can."""
    if len(matched) < 2:
        return "the scale has one item"
    if not within:
        return "no wave asked this item and another"
    if unasked := [waves[w] for w in within if not sheet.asked[w, item]]:
        return f"not asked: {', '.join(unasked)}"
    if matched.sum() < 2:
        return "no other item was asked in every wave compared"
    return ""


def _codes(column: pd.Series[Any], names: Sequence[str]) -> _Codes:
    """Turn the names of a column into numbers; -1 for any other and for a missing one."""
    return np.asarray(
        pd.Index(list(names), dtype="str").get_indexer(pd.Index(column.astype("str"))), dtype=np.intp
    )


KINDS: Final[Mapping[str, tuple[int, int]]] = {"uniform": (0, 1), "nonuniform": (1, 2), "total": (0, 2)}
"""Kind of difference -> which two of the three models it lies between."""

LOG_ODDS: Final = "uniform_log_odds"


@dataclass(frozen=True)
class Counted:
    """Answers counted.

    Attributes
    ----------
    counts
        Matching score x group x stratum x answer.
    score
        The matching scores.
    """

    counts: Array
    score: Array


@dataclass(frozen=True)
class _Nested:
    """The three models of n answers, and the log-likelihood of thresholds alone.

    `groups` is the number of groups beyond the first.
    """

    n: int
    groups: int
    null: float
    models: tuple[Fit, Fit, Fit]

    def failure(self, kind: str) -> Fit | None:
        """Return the model that keeps a kind from being estimated, if any does."""
        smaller, larger = KINDS[kind]
        of_kind = (self.models[smaller], self.models[larger])
        return next((model for model in of_kind if model.status != Status.OK), None)

    def ratio(self, kind: str) -> float:
        """Likelihood-ratio chi-square."""
        smaller, larger = (self.models[number].log_likelihood for number in KINDS[kind])
        return max(0.0, 2 * (larger - smaller))

    def nagelkerke(self, kind: str) -> float:
        """Change of Nagelkerke's R2."""
        smaller, larger = (self.models[number].log_likelihood for number in KINDS[kind])
        gained = np.exp(2 * (self.null - smaller) / self.n) - np.exp(2 * (self.null - larger) / self.n)
        return max(0.0, float(gained / -np.expm1(2 * self.null / self.n)))

    def mcfadden(self, kind: str) -> float:
        """Change of McFadden's R2."""
        return self.ratio(kind) / (-2 * self.null)


def refused(status: Status, note: str, *, pair: bool, n: int) -> Iterator[Row]:
    """Yield a row without an estimate for every term."""
    nothing = {"status": status, "note": note, "n": n}
    for kind in KINDS:
        yield {"term": f"{kind}_lr", **nothing}
        if pair and kind == "uniform":
            yield {"term": LOG_ODDS, **nothing}
        yield {"term": f"{kind}_r2_change", **nothing}
        yield {"term": f"{kind}_mcfadden_change", **nothing}


def compare(
    by_total: Counted, by_rest: Counted, *, names: tuple[str, ...], pair: bool, confidence: float, min_n: int
) -> Iterator[Row]:
    """Fit the nested models of `surveywaves.invariance.dif` and lay out what each adds.

    Parameters
    ----------
    by_total, by_rest
        The same answers, by the score with and without the item.
    names
        Of the groups.
    pair
        Whether two groups are compared by name: then both must do, and the difference is estimated; else
        groups with too few are left out.
    confidence
        Confidence level of the interval.
    min_n
        Fewest respondents of a group.
    """
    sizes = by_total.counts.sum(axis=(0, 2, 3))
    n = int(sizes.sum())
    empty = [name for name, size in zip(names, sizes, strict=True) if size == 0]
    few = [name for name, size in zip(names, sizes, strict=True) if 0 < size < min_n]
    kept = np.flatnonzero(sizes >= min_n)
    if pair and empty:
        yield from refused(Status.NOT_ESTIMABLE, f"nobody answered: {', '.join(empty)}", pair=pair, n=n)
        return
    if len(kept) < 2 or (pair and few):
        which = ", ".join(few + empty) if pair else "all groups but one, or all"
        note = f"fewer than {min_n} respondents: {which}"
        yield from refused(Status.TOO_FEW, note, pair=pair, n=n)
        return
    left_out = f"not compared, fewer than {min_n} respondents: {', '.join(few + empty)}"
    remark = left_out if len(kept) < len(sizes) else ""
    tested = _nested(Counted(by_total.counts[:, kept], by_total.score))
    sized = _nested(Counted(by_rest.counts[:, kept], by_rest.score))
    for kind in KINDS:
        yield {"term": f"{kind}_lr", **_test(tested, kind, remark)}
        if pair and kind == "uniform":
            yield {"term": LOG_ODDS, **_log_odds(tested, confidence, remark)}
        for term, row in _size(sized, kind, remark).items():
            yield {"term": f"{kind}_{term}", **row}


def _test(tested: _Nested, kind: str, remark: str) -> Row:
    if why := tested.failure(kind):
        return {"status": why.status, "n": tested.n, "note": join(why.note, remark)}
    ratio, df = tested.ratio(kind), tested.groups * (KINDS[kind][1] - KINDS[kind][0])
    return {"estimate": ratio, "df": df, "p_value": float(chdtrc(df, ratio)), "n": tested.n, "note": remark}


def _log_odds(tested: _Nested, confidence: float, remark: str) -> Row:
    model = tested.models[1]
    if model.status != Status.OK:
        return {"status": model.status, "n": tested.n, "note": join(model.note, remark)}
    slope, error = float(model.slopes[-1]), float(np.sqrt(model.covariance[-1, -1]))
    half = float(ndtri((1 + confidence) / 2)) * error
    ends = {"conf_low": slope - half, "conf_high": slope + half}
    return {"estimate": slope, "std_error": error, **ends, "n": tested.n, "note": remark}


def _size(sized: _Nested, kind: str, remark: str) -> dict[str, Row]:
    if why := sized.failure(kind):
        row = {"status": why.status, "n": sized.n, "note": join(why.note, remark)}
        return {"r2_change": row, "mcfadden_change": row}
    change = sized.nagelkerke(kind)
    classes = f"{size_class(change, 'jodoin_gierl')} (Jodoin & Gierl), {size_class(change, 'zumbo')} (Zumbo)"
    return {
        "r2_change": {"estimate": change, "n": sized.n, "note": join(classes, remark)},
        "mcfadden_change": {"estimate": sized.mcfadden(kind), "n": sized.n, "note": remark},
    }


def _nested(counted: Counted) -> _Nested:
    """Fit the three models, each from the one before; where one cannot be had, neither can those after it."""
    answers = counted.counts.sum(axis=(0, 1, 2)) > 0
    score, group, stratum = np.nonzero(counted.counts.sum(axis=3))
    counts = counted.counts[score, group, stratum][:, answers]
    null = intercepts(counts)
    level = _standardised(counted.score[score], counts.sum(axis=1))
    # The last group and the last stratum are those that the others are compared with.
    strata = (stratum[:, None] == np.unique(stratum)[:-1]).astype(np.float64)
    groups = (group[:, None] == np.arange(counted.counts.shape[1] - 1)).astype(np.float64)
    parts = (np.column_stack([level, strata]), groups, groups * level[:, None])
    why = (
        "the score does not vary" if np.ptp(level) == 0 else "the other grouping tells the scores apart",
        "the groups cannot be told from the other grouping",
        "a group has too few different scores",
    )
    found: list[Fit] = []
    before = null if counts.shape[1] > 1 else failed(Status.NOT_ESTIMABLE, "everyone answered alike")
    for number, hindrance in enumerate(why):
        design = np.hstack(parts[: number + 1])
        if before.status == Status.OK and not _full_rank(design):
            before = failed(Status.NOT_ESTIMABLE, hindrance)
        elif before.status == Status.OK:
            before = fit(counts, design, before)
        found.append(before)
    return _Nested(int(counts.sum()), groups.shape[1], null.log_likelihood, (found[0], found[1], found[2]))


def _standardised(score: Array, weights: Array) -> Array:
    """Bring scores to mean 0 and standard deviation 1; all 0 if they do not vary."""
    centred = score - np.average(score, weights=weights)
    spread = np.sqrt(np.average(centred**2, weights=weights))
    return np.asarray(centred / spread if spread > 1e-9 else np.zeros_like(centred), dtype=np.float64)


def _full_rank(design: Array) -> bool:
    """Whether no predictor follows from the others and a constant."""
    centred = design - design.mean(axis=0)
    values = np.linalg.eigvalsh(centred.T @ centred)
    return bool(values[0] > 1e-9 * max(values[-1], 1.0))


ANALYSIS: Final = "dif"


def dif(
    sample: Sample, scale: Scale, *, confidence: float = 0.95, min_n: int = 50, adjust: bool = True
) -> pd.DataFrame:
    """Compare how each item of a scale works between waves and between organisations.

    Nested proportional-odds models (Zumbo 1999; Crane et al. 2006) of the scored answer y to an item, given where a
    respondent stands on the scale, s, and the group g:

        M1  logit P(y <= k) = a_k - b s
        M2  M1 - c_g                    uniform: at the same standing one group answers higher throughout
        M3  M2 - d_g s                  non-uniform: it depends on the standing

    Parameters
    ----------
    sample
        Who answered. Weights, teams and covariates play no part.
    scale
        What they answered: whole numbers in its range.
    confidence
        Confidence level of the intervals.
    min_n
        Fewest respondents of a group that is compared. 200 are often asked for; below 50, a five-point answer is
        modelled from categories with a handful of people.
    adjust
        Whether all three models also hold an effect of each organisation when waves are compared, and of each wave
        when organisations are: differences are then those within organisations, pooled, and a wave that surveyed
        one organisation only does not show that organisation's peculiarities as its own.

    Returns
    -------
    DataFrame
        Tidy (see `surveywaves.tidy`), `analysis` = ``dif``, a block of rows for every item and comparison. The column
        of the grouping, `wave` or `organisation`, names the comparison: ``later - earlier`` or ``first - second``,
        and ``all`` for a test of all groups at once where there are more than two; the other column is empty, its
        groups are pooled. The terms, for kind ``uniform`` (M2 against M1), ``nonuniform`` (M3 against M2) and
        ``total`` (M3 against M1), with s the total score or the rest score as Notes explain:

        ``<kind>_lr``
            Likelihood-ratio chi-square, by the total score, with `df` and `p_value`; `p_adjusted` by Benjamini &
            Hochberg (1995) over the items of the scale, within a comparison and kind.
        ``<kind>_r2_change``
            Change of Nagelkerke's R2, (1 - exp(2 (l0 - l) / n)) / (1 - exp(2 l0 / n)) with l0 the log-likelihood of
            the thresholds alone, by the rest score. The note gives its class by Jodoin & Gierl (2001) and by Zumbo
            (1999), both meant for this R2.
        ``<kind>_mcfadden_change``
            Change of McFadden's R2, 1 - l / l0, by the rest score; lordif (Choi et al. 2011) flags from .02.
        ``uniform_log_odds``
            Of a pair: c of the first group less that of the second in M2, by the total score, with its Wald interval;
            positive if the first answers higher (after scoring) than equals of the second. exp of it is the odds
            ratio.

        `n` is the number of respondents in the models. `status` is ``too_few`` if a group has fewer than `min_n`,
        ``not_converged``, or ``not_estimable``: nobody in a group, an item not asked, one answer only, a score that
        does not vary, groups that the other grouping or the score tells apart, or separation. A test of all groups
        leaves out those with fewer than `min_n` and says so.

    Raises
    ------
    ValueError
        As `surveywaves.reliability.reliability`.

    Notes
    -----
    Whoever answered the item and at least half of the others counts. s is the mean of what they answered, of the
    items that every compared wave asked, so that it means the same in each.

    Tests and sizes ask for different scores. If groups differ in what the scale measures, equals on the rest score (the
    other items) are not equals, as it is unreliable: a test by it finds differences that are none (Zwick 1990). In
    simulated groups of 350 that differ by .6 standard deviations, with items that work alike, it rejected at .05 in
    90% of the items of scales of two, 46% of four and 25% of six; by the total score, with the item, 5-7%. But the
    shorter the scale, the more of the total is the item itself, and the smaller a real difference looks: one of .6
    standard deviations changed R2 by .022, .048 and .058 with two, four and six items, where the rest score showed .08
    in all, as in a long scale, for which the classes were made. What unreliability alone adds there was .013 on
    average with two items and .005 with four, below moderate. So the likelihood ratio takes the total score, the R2
    the rest score, and `flagged` asks for both: without a difference it named 1 item in 5,400, with one of .6 all.

    With two items no model can tell which of them differs.

    References
    ----------
    Zumbo BD (1999). A handbook on the theory and methods of differential item functioning. Ottawa: Department of
    National Defense. Jodoin MG, Gierl MJ (2001). Evaluating type I error and power rates using an effect size measure
    with the logistic regression procedure for DIF detection. Applied Measurement in Education 14:329-349. Crane PK
    et al. (2006). Differential item functioning analysis with ordinal logistic regression techniques. Medical Care
    44:S115-S123. Choi SW, Gibbons LE, Crane PK (2011). lordif. Journal of Statistical Software 39(8). Zwick R (1990).
    When do item response function and Mantel-Haenszel definitions of DIF coincide? Journal of Educational Statistics
    15:185-197.

    Examples
    --------
    In R: ``m1 <- ordinal::clm(y ~ other + s)``, ``m2 <- update(m1, . ~ . + g)``, ``m3 <- update(m1, . ~ . + g * s)``.
    """
    check(sample, scale, confidence=confidence, min_n=min_n)
    low, high = scale.response_range
    waves, organisations = sample.waves, sample.organisations
    sheet = Sheet.of(sample, scored(sample.frame, scale) - low, high - low + 1)
    rows: list[Row] = []
    for number, item in enumerate(scale.items):
        for comparison in comparisons(sheet, number, waves, organisations, sample.against):
            remark, matched, pair = "", comparison.matched, comparison.pair
            if comparison.hindrance:
                found = refused(Status.NOT_ESTIMABLE, comparison.hindrance, pair=pair, n=0)
            else:
                by_total, by_rest = (
                    comparison.of(sheet.counted(number, matched, with_item=own), adjust=adjust)
                    for own in (True, False)
                )
                names = comparison.names
                found = compare(by_total, by_rest, names=names, pair=pair, confidence=confidence, min_n=min_n)
                remark = named("not in the score, not asked in every wave compared", scale.items, ~matched)
            place = {"item": item, **comparison.columns}
            rows += [{**place, **row, "note": join(row.get("note", ""), remark)} for row in found]
    return _adjusted(tidy({"analysis": ANALYSIS, "scale": scale.name, **row} for row in rows))


def _adjusted(table: pd.DataFrame) -> pd.DataFrame:
    """Adjust p-values over the items, within scale, comparison and term (Benjamini & Hochberg 1995)."""
    family = ["scale", "wave", "organisation", "term"]
    return table.assign(p_adjusted=adjust_families(table, "p_value", "fdr_bh", family))
