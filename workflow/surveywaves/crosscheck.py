"""The key numbers again, by programs that are not ours: statsmodels and pingouin.

The data are laid out anew, one answer a row, from the pooled responses; nothing of `mixed` or `reliability` is used but
the numbers to be checked. What is compared, and how near it must be:

``linear``
    Means and contrasts: the generalised least squares of statsmodels' MixedLM at the variances that were found.
``linear_variances``
    The variance between respondents: where a parabola through three values of MixedLM's restricted likelihood, around
    what was found, has its top. That the likelihood has its maximum there is the claim; a full search costs ten times
    as many values, and its default optimiser stops early near a variance of zero.
``favourable``, ``favourable_error``
    Percentages of favourable answers, their contrasts, and their standard errors: statsmodels' GEE, respondents (or
    teams) as clusters. GEE has no small-sample factor: errors may differ by 1 / (n - 1), n the smallest cell.
``ordinal_items``
    Log odds of each scale's first statement: statsmodels' OrderedModel, whose search ends within .01 standard errors.
``alpha``
    Cronbach's alpha: pingouin, on respondents chosen here.
``adjusted``
    Adjusted p-values: pingouin.

What statsmodels cannot do, or not in reasonable time, is a row that says so. Of many organisations (`CELLS_AT_MOST`)
the first ones are checked, by themselves: their percentages, alphas and p-values, which no other organisation enters.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import groupby
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.sample import Sample, Scale, is_continuous
from surveywaves.terms import (
    ALL,
    BETWEEN,
    ESTIMATED,
    FAVOURABLE,
    LINEAR,
    ORDINAL,
    STANDARDISED,
    Checked,
)

Array = NDArray[np.float64]
Cell = tuple[str, str]
Row = dict[str, Any]

COLUMNS: Final = ("what", "scale", "item", "wave", "organisation", "term")
NEAR: Final[Mapping[str, float]] = {
    "linear": 1e-6,
    "linear_variances": 1e-3,
    "favourable": 1e-6,
    "ordinal_items": 1e-2,
    "alpha": 1e-9,
    "adjusted": 1e-9,
}
"""Largest difference that counts as none: of estimates in standard errors, of variances as a share, else as it is."""

RESPONDENTS_AT_MOST: Final = 10_000
"""Of more, statsmodels takes minutes a scale: one respondent after another."""

CELLS_AT_MOST: Final = 30
"""Of more waves and organisations, statsmodels' matrices of a column a cell and statement take gigabytes."""

NOTHING: Final = 1e-8
"""A variance ratio in place of 0, where statsmodels takes the variance within respondents for another one."""

STEP: Final = 0.01
"""How far from the logarithm of the variance ratio the likelihood is taken."""


def crosscheck(
    sample: Sample,
    scales: Sequence[Scale],
    *,
    means: pd.DataFrame,
    contrasts: pd.DataFrame,
    variances: pd.DataFrame,
    item_contrasts: pd.DataFrame,
    reliability: pd.DataFrame,
    multiplicity: str = "holm",
    item_multiplicity: str = "fdr_bh",
    at_most: int = RESPONDENTS_AT_MOST,
) -> pd.DataFrame:
    """Recompute the key numbers of a study.

    Parameters
    ----------
    sample, scales
        What was compared: see `surveywaves.mixed.compare.estimate`.
    means, contrasts, variances, item_contrasts, reliability
        What was found.
    multiplicity, item_multiplicity
        How p-values were adjusted, across scales and across statements.
    at_most
        Respondents of a scale, beyond which it is not checked.

    Returns
    -------
    DataFrame
        One number a row: `what` (see above), `scale, item, wave, organisation, term`, `ours`, `theirs`, `difference`
        and `tolerance` (both in the unit of `NEAR`), `verdict` (``agrees``, ``differs``, ``not_checked``), `note`.
    """
    found: list[Row | pd.DataFrame] = []
    first = max(CELLS_AT_MOST // len(sample.waves), 1)
    many = len(sample.organisations) > first
    some = replace(sample, organisations=sample.organisations[:first]) if many else sample
    too_many = (
        f"more than {CELLS_AT_MOST} waves and organisations: the first {first} organisations are checked"
    )

    def of_first(what: str, rows: pd.DataFrame, *besides: str) -> pd.DataFrame:
        """Keep the rows of the first organisations; families of p-values across organisations stay whole."""
        if not many:
            return rows
        ours, family = {*some.organisations, *besides}, f"{BETWEEN}{sample.against}"
        names = rows["organisation"].unique()
        of_family = [name for name in names if what == "adjusted" and name.endswith(family)]
        here = rows["organisation"].isin(
            [*of_family, *(name for name in names if ours.issuperset(_sides(name)))]
        )
        if not here.all():
            found.append(_unchecked(what, rows[~here], too_many))
        return rows[here]

    estimates = pd.concat([means, contrasts], ignore_index=True)
    estimates = estimates[estimates["status"].isin(ESTIMATED) & ~estimates["term"].str.endswith(STANDARDISED)]
    for scale in scales:
        answers = _Answers(some, scale)
        own = estimates[estimates["scale"] == scale.name]
        of_items = item_contrasts[
            (item_contrasts["scale"] == scale.name) & item_contrasts["status"].isin(ESTIMATED)
        ]
        own = pd.concat([own, of_items[~of_items["term"].str.endswith(STANDARDISED)]], ignore_index=True)
        linear = own[(own["analysis"] == LINEAR) & (own["item"] == "")]
        items = own[(own["analysis"] == ORDINAL) & (own["item"] == scale.items[0])]
        why = f"more than {at_most:,} respondents" if len(answers.wide) > at_most else ""
        of_model = too_many if many else why
        of_variances = variances[(variances["scale"] == scale.name) & (variances["analysis"] == LINEAR)]
        found += _linear(answers, linear, of_variances.set_index("term")["estimate"], of_model)
        favourable = of_first("favourable", own[own["analysis"] == FAVOURABLE])
        found += _favourable(answers, favourable, of_model if sample.covariates else why)
        found += _ordinal(answers, items, of_model)
    for scale in scales:
        found += _alpha(sample, scale, of_first("alpha", _alphas(sample, scale, reliability), ALL))
    for table, method in ((contrasts, multiplicity), (item_contrasts, item_multiplicity)):
        tests = table[table["p_value"].notna()] if method != "none" else table[:0]
        found += _adjusted(of_first("adjusted", tests, ALL), method, sample.against)
    return _table(found)


@dataclass(frozen=True)
class _Answers:
    """The answers to a scale, one a row, reverse-keyed; of respondents who take part in the models."""

    sample: Sample
    scale: Scale

    @cached_property
    def wide(self) -> pd.DataFrame:
        """The same, one row a respondent."""
        sample = self.sample
        frame = sample.frame.reset_index(drop=True)
        frame = frame[frame["wave"].isin(sample.waves) & frame["organisation"].isin(sample.organisations)]
        for name in (*sample.covariates, *filter(None, [sample.team])):
            frame = frame[frame[name].notna()]
        weight = frame[sample.weight].astype("float64").fillna(0.0) if sample.weight else 1.0
        frame = frame.assign(_respondent=frame.index, _weight=weight)
        return frame[(frame["_weight"] > 0) & frame[list(self.scale.items)].notna().any(axis=1)]

    @cached_property
    def frame(self) -> pd.DataFrame:
        sample, scale = self.sample, self.scale
        kept = ["_respondent", "_weight", "wave", "organisation", *sample.covariates]
        long = self.wide.melt(
            id_vars=[*kept, *filter(None, [sample.team])], value_vars=list(scale.items), var_name="_item"
        ).dropna(subset="value")
        low, high = scale.response_range
        # only ratios within a wave say anything: the models give the weights of each wave mean 1
        people = long.drop_duplicates("_respondent")
        mean = people.groupby("wave", observed=True)["_weight"].mean()
        long["_weight"] /= long["wave"].map(mean).astype("float64")
        turned = long["_item"].map(dict(scale.keys)).lt(0)
        value = long["value"].astype("float64")
        return (
            long.assign(value=np.where(turned, low + high - value, value))
            .sort_values(["_respondent", "_item"], kind="stable")
            .reset_index(drop=True)
        )

    @cached_property
    def favourable(self) -> Array:
        """Whether each answer is favourable to its statement, 0 or 1."""
        scale, value = self.scale, self.frame["value"].to_numpy()
        found = np.zeros(len(value))
        for item in scale.items:
            wanted = np.array(scale.favourable_of.get(item, scale.favourable), dtype=np.float64)
            near = np.isclose(value[:, None], wanted).any(axis=1)
            found[near & (self.frame["_item"] == item).to_numpy()] = 1.0
        return found

    @cached_property
    def items(self) -> list[str]:
        given = set(self.frame["_item"])
        return [item for item in self.scale.items if item in given]

    @cached_property
    def asked(self) -> dict[Cell, set[str]]:
        """Cell -> the statements that somebody there answered."""
        groups = self.frame.groupby(["wave", "organisation"], sort=True, observed=True)["_item"]
        return {(str(wave), str(where)): set(items) for (wave, where), items in groups}

    @cached_property
    def place(self) -> NDArray[np.intp]:
        """Which of the cells each answer is of."""
        labels = pd.MultiIndex.from_frame(self.frame[["wave", "organisation"]].astype("str"))
        return np.asarray(pd.MultiIndex.from_tuples(list(self.asked)).get_indexer(labels), dtype=np.intp)

    @cached_property
    def smallest(self) -> int:
        """Clusters of the cell that has fewest."""
        cluster = self.sample.team or "_respondent"
        return int(self.frame.groupby(["wave", "organisation"], observed=True)[cluster].nunique().min())

    @cached_property
    def covariates(self) -> pd.DataFrame:
        """A row an answer: centred over respondents, so that means are those of everybody together."""
        columns = {}
        for name in self.sample.covariates:
            values = self.frame[name]
            if is_continuous(values):
                columns[name] = values.astype("float64")
            else:
                for level in sorted(values.astype("str").unique())[1:]:
                    columns[f"{name}[{level}]"] = values.astype("str").eq(level).astype("float64")
        made = pd.DataFrame(columns, index=self.frame.index)
        first = ~self.frame["_respondent"].duplicated()
        weights = self.frame.loc[first, "_weight"]
        return made - (made[first].mul(weights, axis=0).sum() / weights.sum())

    def cells_of(self, row: _Number) -> dict[Cell, float]:
        """Weights of the cells that a row's labels name."""
        waves, organisations = _sides(row.wave), dict[str, float]()
        for side, sign in _sides(row.organisation).items():
            of = self.everybody(list(waves), row.item) if side == ALL else {side: 1.0}
            organisations |= {
                where: organisations.get(where, 0.0) + sign * share for where, share in of.items()
            }
        return {
            (wave, where): sign * share
            for wave, sign in waves.items()
            for where, share in organisations.items()
            if share
        }

    def everybody(self, waves: list[str], item: str) -> dict[str, float]:
        """Share of each organisation in all staff of some waves, by one statement or all."""
        sample = self.sample
        shares = {where: share for where, share in sample.shares.items() if share}
        if sample.against and len(shares) > 2:
            own = self.frame[self.frame["wave"].isin(waves) & ((self.frame["_item"] == item) | (item == ""))]
            number = pd.crosstab([own["organisation"], own["_item"]], own["wave"])
            least = number.groupby(level=0, observed=True).max().min(axis=1)
            shares = {
                where: share
                for where, share in shares.items()
                if least.get(where, 0) >= sample.smallest_of_all
            }
        return {where: share / sum(shares.values()) for where, share in shares.items()}


def _sides(label: str) -> dict[str, float]:
    first, _, second = label.partition(BETWEEN)
    return {first: 1.0, second: -1.0} if second else {first: 1.0}


class _Number(NamedTuple):
    """A number that was found, and where it stands."""

    scale: str
    item: str
    wave: str
    organisation: str
    term: str
    estimate: float
    std_error: float = math.nan


def _numbers(rows: pd.DataFrame) -> Iterator[_Number]:
    """Read a tidy table."""
    columns = [rows[name] for name in (*COLUMNS[1:], "estimate", "std_error")]
    return (_Number(*row) for row in zip(*columns, strict=True))


def _checked(what: str, number: _Number, theirs: float, *, unit: float, near: float | None = None) -> Row:
    """Hold a number against another one; the difference is in a unit."""
    near = NEAR[what] if near is None else near
    difference = abs(number.estimate - theirs) / unit
    return {
        "what": what,
        **dict(zip(COLUMNS[1:], number, strict=False)),
        "ours": number.estimate,
        "theirs": theirs,
        "difference": difference,
        "tolerance": near,
        "verdict": Checked.AGREES if difference <= near else Checked.DIFFERS,
        "note": "",
    }


def _unchecked(what: str, rows: pd.DataFrame, why: str) -> pd.DataFrame:
    ours = rows["p_adjusted" if what == "adjusted" else "estimate"]
    return rows[[*COLUMNS[1:]]].assign(what=what, ours=ours, verdict=Checked.NOT_CHECKED, note=why)


def _linear(
    answers: _Answers, rows: pd.DataFrame, variances: pd.Series[float], why: str
) -> Iterable[Row | pd.DataFrame]:
    from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams  # noqa: PLC0415  a second

    if rows.empty:
        return
    sample = answers.sample
    tau2, sigma2 = variances.get("tau2", np.nan), variances.get("sigma2", np.nan)
    if sample.weight or sample.team:
        why = "statsmodels fits no mixed model with weights, and none with teams in reasonable time"
    elif not np.isfinite(tau2):
        why = why or "one answer a respondent"
    if why:
        yield _unchecked("linear", rows, why)
        return
    frame, cells, items = answers.frame, list(answers.asked), answers.items
    item = [frame["_item"].eq(one).to_numpy(dtype=np.float64) for one in items[1:]]
    cell = np.eye(len(cells))[answers.place]
    design = np.column_stack([cell, *item, answers.covariates.to_numpy(dtype=np.float64)])
    if np.linalg.matrix_rank(design.T @ design) < design.shape[1]:
        yield _unchecked("linear", rows, "the statements or covariates are not linked")
        return
    model = MixedLM(frame["value"].to_numpy(), design, groups=frame["_respondent"].to_numpy())
    model.reml, model.cov_pen, model.fe_pen = True, None, None  # what its `fit` sets before it starts
    theta, nothing = float(tau2 / sigma2), np.zeros(0)

    def loglik(theta: float) -> float:
        """At the coefficients of what was found, by which it has no slope there: one search for them is enough."""
        params = MixedLMParams.from_components(fe_params=coef, cov_re=np.array([[theta]]))
        return float(model.loglike(params, profile_fe=False))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about singular covariances, at a variance of 0
        ratio = np.array([[max(theta, NOTHING)]])
        coef = np.asarray(model.get_fe_params(ratio, nothing)[0], dtype=np.float64)
        scale = float(model.get_scale(coef, ratio, nothing))
        place_of = partial(_Number, answers.scale.name, "", ALL, ALL)
        yield _checked("linear_variances", place_of("sigma2", sigma2), scale, unit=sigma2)
        if theta > 0:
            low, middle, high = (loglik(theta * np.exp(side * STEP)) for side in (-1, 0, 1))
            bend = low - 2 * middle + high
            top = theta * np.exp(STEP * (low - high) / (2 * bend)) if bend < 0 else np.nan
            yield _checked("linear_variances", place_of("tau2", tau2), top * scale, unit=tau2)
        else:
            theirs = math.nan if loglik(1e-3) > loglik(1e-6) else 0.0
            yield _checked("linear_variances", place_of("tau2", tau2), theirs, unit=1.0)
    for number in _numbers(rows):
        vector = np.zeros(design.shape[1])
        for one, weight in answers.cells_of(number).items():
            vector[cells.index(one)] += weight
            vector[len(cells) : len(cells) + len(items) - 1] += weight / len(items)
        yield _checked("linear", number, float(vector @ coef), unit=number.std_error)


def _favourable(answers: _Answers, rows: pd.DataFrame, why: str) -> Iterable[Row | pd.DataFrame]:
    from statsmodels.genmod.cov_struct import Independence  # noqa: PLC0415
    from statsmodels.genmod.families import Binomial, Gaussian  # noqa: PLC0415
    from statsmodels.genmod.generalized_estimating_equations import GEE  # noqa: PLC0415

    if rows.empty:
        return
    if why:
        yield _unchecked("favourable", rows, why)
        return
    frame, sample = answers.frame, answers.sample
    places = [
        (cell, item) for cell, asked in answers.asked.items() for item in answers.items if item in asked
    ]
    item = pd.Index(answers.items).get_indexer(pd.Index(frame["_item"]))
    kind = answers.place * len(answers.items) + item  # some of which nobody answered
    design = np.eye(len(places))[np.unique(kind, return_inverse=True)[1]]
    covariates = answers.covariates.to_numpy(dtype=np.float64)
    if covariates.size:
        alone = rows["item"] != ""
        yield _unchecked("favourable", rows[alone], "with covariates, each statement is a model by itself")
        rows = rows[~alone]
    favourable = answers.favourable
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = GEE(
            favourable,
            np.hstack([design, covariates]),
            groups=frame[sample.team].astype("str").to_numpy()
            if sample.team
            else frame["_respondent"].to_numpy(),
            family=Binomial() if covariates.size else Gaussian(),
            cov_struct=Independence(),
            weights=frame["_weight"].to_numpy() if sample.weight else None,
        ).fit()
    params, cov = np.asarray(fit.params, dtype=np.float64), np.asarray(fit.cov_params())
    share = params[: len(places)]
    if covariates.size:
        first = (~frame["_respondent"].duplicated()).to_numpy()
        moved = covariates[first] @ params[len(places) :]
        weights = frame["_weight"].to_numpy()[first]
        share = np.array([weights @ (1 / (1 + np.exp(-one - moved))) / weights.sum() for one in share])
    for number in _numbers(rows):
        cells = answers.cells_of(number)
        common = {number.item} if number.item else set.intersection(*(answers.asked[cell] for cell in cells))
        vector = np.array([cells.get(cell, 0.0) * (item in common) / len(common) for cell, item in places])
        error = number.std_error
        yield _checked("favourable", number, 100 * float(vector @ share), unit=error)
        if not covariates.size:
            theirs = 100 * math.sqrt(float(vector @ cov @ vector))
            near = 1 / max(answers.smallest - 1, 1)
            own = number._replace(estimate=error)
            yield _checked("favourable_error", own, theirs, unit=error, near=near)


def _ordinal(answers: _Answers, rows: pd.DataFrame, why: str) -> Iterable[Row | pd.DataFrame]:
    from statsmodels.miscmodels.ordinal_model import OrderedModel  # noqa: PLC0415

    if rows.empty:
        return
    if answers.sample.weight or answers.sample.team:
        why = "statsmodels has no ordinal model with weights or teams"
    if why:
        yield _unchecked("ordinal_items", rows, why)
        return
    first = (answers.frame["_item"] == answers.scale.items[0]).to_numpy()
    frame, place = answers.frame[first], answers.place[first]
    known, place = np.unique(place, return_inverse=True)
    cells = [list(answers.asked)[one] for one in known]
    cell = np.eye(len(cells))[place, 1:]
    design = np.hstack([cell, answers.covariates.loc[frame.index].to_numpy(dtype=np.float64)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = OrderedModel(
            frame["value"].rank(method="dense").astype(int).to_numpy(), design, distr="logit"
        ).fit(method="bfgs", disp=0, maxiter=500, skip_hessian=True)
    coef = dict(zip(cells, [0.0, *np.asarray(fit.params)[: len(cells) - 1]], strict=True))
    for number in _numbers(rows):
        theirs = sum(weight * coef[one] for one, weight in answers.cells_of(number).items())
        yield _checked("ordinal_items", number, float(theirs), unit=number.std_error)


def _alphas(sample: Sample, scale: Scale, rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows[(rows["scale"] == scale.name) & rows["term"].eq("alpha") & rows["status"].isin(ESTIMATED)]
    known = rows["organisation"].isin([*sample.organisations, ALL])
    return rows[known & rows["wave"].isin([*sample.waves, ALL])]


def _alpha(sample: Sample, scale: Scale, rows: pd.DataFrame) -> Iterable[Row | pd.DataFrame]:
    from pingouin import cronbach_alpha  # noqa: PLC0415

    frame = sample.frame[list(scale.items)].astype("float64")
    given = frame.notna().to_numpy()
    waves, organisations = (pd.Categorical(sample.frame[name]) for name in ("wave", "organisation"))
    asked = {
        wave: {*frame.columns[np.asarray(given[np.asarray(waves == wave)].any(axis=0))]}
        for wave in sample.waves
    }
    asking = [wave for wave in sample.waves if asked[wave]]
    for number in _numbers(rows):
        of_waves = asking if number.wave == ALL else [number.wave]
        here = waves.isin(of_waves)
        if number.organisation != ALL:
            here &= organisations == number.organisation
        common = [item for item in scale.items if all(item in asked[wave] for wave in of_waves)]
        chosen = frame.loc[here, common].dropna()
        varying = [item for item in common if chosen[item].min() < chosen[item].max()]
        theirs = float(cronbach_alpha(chosen[varying] * [scale.keys[item] for item in varying])[0])
        yield _checked("alpha", number, theirs, unit=1.0)


def _adjusted(tests: pd.DataFrame, method: str, against: str) -> Iterable[Row | pd.DataFrame]:
    from pingouin import multicomp  # noqa: PLC0415

    compared = tests["organisation"].str.endswith(f"{BETWEEN}{against}") & (against != "")
    others = tests["organisation"].mask(compared, against)
    for _, family in tests.groupby(
        [*(tests[name] for name in ("analysis", "term", "wave")), others], sort=False
    ):
        theirs = multicomp(family["p_value"].to_numpy(), method=method)[1]
        away = np.abs(family["p_adjusted"].to_numpy(dtype=np.float64) - theirs)
        agrees = np.where(away <= NEAR["adjusted"], Checked.AGREES, Checked.DIFFERS)
        place = family[[*COLUMNS[1:]]].assign(what="adjusted", ours=family["p_adjusted"], theirs=theirs)
        yield place.assign(difference=away, tolerance=NEAR["adjusted"], verdict=agrees, note="")


def _table(found: list[Row | pd.DataFrame]) -> pd.DataFrame:
    numbers = ("ours", "theirs", "difference", "tolerance")
    frames: list[pd.DataFrame] = []
    for whole, some in groupby(found, lambda one: isinstance(one, pd.DataFrame)):
        rows = list(some)
        frames += [row for row in rows if isinstance(row, pd.DataFrame)] if whole else [pd.DataFrame(rows)]
    columns = [*COLUMNS, *numbers, "verdict", "note"]
    made = pd.concat([pd.DataFrame(columns=columns), *frames], ignore_index=True).reindex(columns=columns)
    text = dict.fromkeys((*COLUMNS, "verdict", "note"), "str")
    return made.astype({**text, **dict.fromkeys(numbers, "float64")})
