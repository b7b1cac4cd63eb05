"""The tables of `calibration`: rates with their Monte Carlo standard errors, judged, and what they are of, in words."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy
import statsmodels
from known_truth import CELLS, EFFECT, MOVED, SCENARIOS, Population, Scenario

from surveywaves.invariance import flagged
from surveywaves.mixed.contrasts import FAMILY, adjust_families

SEED = 20060703
SCALES = 12
"""Scales of a family of tests."""

EVERY = 4
"""Reliability and item functioning are worked out of every so many surveys: they take longer, and have more tests."""

ALPHA = 0.05
COVERAGE = (0.93, 0.97)
ERRORS = 3
"""Monte Carlo standard errors that chance explains."""

HEADS = ("mean", "change", "gap", "difference in differences")
MODELS = {
    "favourable": "% favourable",
    "linear": "Linear",
    "ordinal": "Ordinal, log odds",
}
EXACT = 1e-9
"""What integration leaves of a difference that is none."""


class Found(NamedTuple):
    """What the analyses made of some surveys: tidy, with columns `scenario` and `changed`."""

    estimates: pd.DataFrame
    variances: pd.DataFrame
    reliability: pd.DataFrame | None
    dif: pd.DataFrame | None


# --- count --------------------------------------------------------------------------------------------------------


class Rate(NamedTuple):
    """A share, with its Monte Carlo standard error."""

    value: float
    error: float

    @classmethod
    def of(cls, hits: pd.Series, by: pd.Series) -> Rate:
        """Take the rate over surveys, whose hits need not be independent within a survey."""
        each = hits.astype(float).groupby(by).mean()
        if len(each) < 2:
            return cls(np.nan, np.nan)
        # that of a rate of 5% at least: few surveys may all be alike
        least = np.sqrt(ALPHA * (1 - ALPHA) / len(hits))
        return cls(float(each.mean()), float(max(each.std() / np.sqrt(len(each)), least)))

    def covers(self) -> str:
        """Judge a coverage."""
        if COVERAGE[0] <= self.value <= COVERAGE[1]:
            return HOLDS
        return CHANCE if abs(self.value - 1 + ALPHA) <= ERRORS * self.error else FAILS

    def is_level(self) -> str:
        """Judge a false positive rate that should be `ALPHA`."""
        return HOLDS if abs(self.value - ALPHA) <= ERRORS * self.error else FAILS

    def is_below_level(self) -> str:
        """Judge a false positive rate that should be `ALPHA` or less."""
        return HOLDS if self.value <= ALPHA + ERRORS * self.error else FAILS


HOLDS, CHANCE, FAILS = "holds", "chance", "fails"
JUDGED: list[tuple[str, str]] = []
"""What was judged, and how, for the summary."""


def cell(rate: Rate, judge: Callable[[Rate], str] | None, what: str) -> str:
    """Give a cell of a table, and remember the verdict."""
    if not np.isfinite(rate.value):
        return ""
    words = f"{100 * rate.value:.1f} ({100 * rate.error:.1f})"
    if judge is None:
        return words
    verdict = judge(rate)
    JUDGED.append((verdict, f"{what}: {words}"))
    return {HOLDS: words, CHANCE: f"{words}°", FAILS: f"**{words}**"}[verdict]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def estimates(found: Found) -> pd.DataFrame:
    """Means and contrasts by model, with what they are of, and whether the interval covers."""
    kept = found.estimates[found.estimates["truth"].notna()]
    kind = (
        kept["term"]
        .str.removesuffix("_percent_favourable")
        .replace({"emmean": "mean", "percent_favourable": "mean", "difference_in_differences": HEADS[-1]})
    )
    wave, organisation = CELLS[MOVED]
    touches = kept["organisation"].str.contains(organisation) & kept["wave"].str.contains(wave)
    return kept.assign(
        model=kept["analysis"],
        kind=kind,
        moved=touches & kept["changed"],
        covered=(kept["conf_low"] <= kept["truth"]) & (kept["truth"] <= kept["conf_high"]),
        positive=kept["p_value"] < ALPHA,
    )


STATES = {(False, False): "none", (True, False): "elsewhere", (True, True): "here"}
"""Changed, moved -> where the change is."""


def coverage(made: pd.DataFrame) -> str:
    rows = []
    known = made[made["estimate"].notna()]
    for (model, scenario, changed, moved), group in _groups(known, ["model", "scenario", "changed", "moved"]):
        cells = []
        for kind in HEADS:
            chosen = group[group["kind"] == kind]
            what = f"coverage, {MODELS[model]}, {scenario}, change {STATES[changed, moved]}, {kind}"
            cells.append(cell(Rate.of(chosen["covered"], chosen["scale"]), Rate.covers, what))
        rows.append([MODELS[model], scenario, STATES[changed, moved], *cells])
    return table(["model", "scenario", "change", *HEADS], rows)


def bias(made: pd.DataFrame) -> str:
    rows = []
    known = made[made["estimate"].notna()]
    for (model, scenario, changed, moved), group in _groups(known, ["model", "scenario", "changed", "moved"]):
        cells = []
        for kind in HEADS:
            chosen = group[group["kind"] == kind]
            each = chosen.groupby(["wave", "organisation"])
            if chosen.empty:
                cells.append("")
                continue
            spread = each["estimate"].std()
            off = (each["estimate"].mean() - each["truth"].first()) / spread
            ratio = (
                np.sqrt((chosen["std_error"] ** 2).groupby([chosen["wave"], chosen["organisation"]]).mean())
                / spread
            )
            cells.append(f"{100 * off.loc[off.abs().idxmax()]:+.0f}, {ratio.mean():.2f}")
        rows.append([MODELS[model], scenario, STATES[changed, moved], *cells])
    return table(["model", "scenario", "change", *HEADS], rows)


def false_positives(made: pd.DataFrame) -> str:
    rows = []
    known = made[made["p_value"].notna() & (made["truth"].abs() < EXACT)]
    for (model, scenario), group in _groups(known, ["model", "scenario"]):
        cells = []
        for kind in HEADS[1:]:
            chosen = group[group["kind"] == kind]
            by = chosen["scale"] + chosen["changed"].astype(str)
            what = f"false positives, {MODELS[model]}, {scenario}, {kind}"
            cells.append(cell(Rate.of(chosen["positive"], by), Rate.is_level, what))
        family = _family_wise(group[~group["changed"]])
        what = f"Holm over {SCALES} scales, {MODELS[model]}, {scenario}"
        rows.append([MODELS[model], scenario, *cells, cell(family, Rate.is_below_level, what)])
    return table(["model", "scenario", *HEADS[1:], f"Holm, {SCALES} scales"], rows)


def _family_wise(tests: pd.DataFrame) -> Rate:
    """How often Holm's method finds anything in a family of surveys taken for scales."""
    family = tests["scale"].astype(int) // SCALES
    whole = family < (tests["scale"].astype(int).max() + 1) // SCALES
    return _any_of_family(tests.assign(family=family)[whole])


def _any_of_family(tests: pd.DataFrame) -> Rate:
    adjusted = adjust_families(tests, "p_value", "holm", [*FAMILY, "family"])
    families = (
        pd.Series(adjusted < ALPHA, index=tests.index)
        .groupby([tests[name] for name in [*FAMILY, "family"]])
        .any()
    )
    return Rate.of(families, pd.Series(families.index.get_level_values("family"), index=families.index))


def equivalence(made: pd.DataFrame) -> str:
    rows = []
    exact = (made["truth"].abs() - made["smallest"]).abs() < 1e-6 * made["smallest"]
    tested = made[made["moved"] & made["p_equivalence"].notna() & exact]
    for (model, scenario), group in _groups(tested, ["model", "scenario"]):
        cells = []
        for kind in HEADS[1:]:
            chosen = group[group["kind"] == kind]
            rate = Rate.of(chosen["p_equivalence"] < ALPHA, chosen["scale"])
            cells.append(cell(rate, Rate.is_below_level, f"TOST, {MODELS[model]}, {scenario}, {kind}"))
        rows.append([MODELS[model], scenario, *cells])
    return table(["model", "scenario", *HEADS[1:]], rows)


def item_functioning(found: Found) -> str:
    kinds = ("uniform", "nonuniform", "total")
    rows = []
    for (scenario, changed), group in _groups(found.dif, ["scenario", "changed"]):
        cells = []
        for kind in kinds:
            chosen = group[(group["term"] == f"{kind}_lr") & group["p_value"].notna()]
            rate = Rate.of(chosen["p_value"] < ALPHA, chosen["scale"])
            what = f"DIF, {kind}, {scenario}, change {'yes' if changed else 'no'}"
            cells.append(cell(rate, Rate.is_level, what))
        items = [
            len(names) / one["item"].nunique()
            for _, one in group.groupby("scale")
            for names in flagged(one).values()
        ]
        cells.append(f"{100 * np.mean(items):.2f}")
        rows.append([scenario, "yes" if changed else "no", *cells])
    return table(["scenario", "change", *kinds, "items flagged"], rows)


def alphas(found: Found) -> str:
    rows = []
    place = {cell: number for number, cell in enumerate(CELLS)}
    for (scenario, changed), group in _groups(found.reliability, ["scenario", "changed"]):
        population = Population(_scenario(scenario), changed)
        name = f"{scenario}, change {'yes' if changed else 'no'}"
        own = group[(group["term"] == "alpha") & group["conf_low"].notna()]
        cells = pd.Series(list(zip(own["wave"], own["organisation"], strict=True)), index=own.index)
        own = own[cells.isin(place)]
        truth = population.alpha[cells[own.index].map(place).astype(int)]
        rate = Rate.of((own["conf_low"] <= truth) & (truth <= own["conf_high"]), own["scale"])
        interval = cell(rate, Rate.covers, f"interval of alpha, {name}")
        tests = []
        for term in ("alpha_difference", "equality"):
            chosen = group[(group["term"] == term) & group["p_value"].notna()]
            rate = Rate.of(chosen["p_value"] < ALPHA, chosen["scale"])
            # where alphas truly differ, a test should find it
            alike = np.ptp(population.alpha) < 1e-3
            tests.append(cell(rate, Rate.is_level if alike else None, f"{term}, {name}"))
        span = f"{population.alpha.min():.3f}–{population.alpha.max():.3f}"
        rows.append([scenario, "yes" if changed else "no", span, interval, *tests])
    return table(["scenario", "change", "alpha", "interval", "difference of two", "all alike"], rows)


def broken_off(made: pd.DataFrame) -> str:
    """The variant that imputes is judged; what happens to who stayed is what it is for."""
    made = made[made["truth"].notna() & made["estimate"].notna()]
    made = made.assign(covered=(made["conf_low"] <= made["truth"]) & (made["truth"] <= made["conf_high"]))
    rows = []
    for variant, judge in (("main", None), ("imputed", Rate.covers)):
        for analysis in ("favourable", "linear"):
            for kind in ("change", "gap", "difference_in_differences"):
                chosen = made[
                    (made["variant"] == variant) & (made["analysis"] == analysis) & (made["kind"] == kind)
                ]
                rate = Rate.of(chosen["covered"], chosen["survey"])
                off = chosen["estimate"] - chosen["truth"]
                error = off.groupby(chosen["survey"]).mean().std() / np.sqrt(chosen["survey"].nunique())
                what = f"coverage, {MODELS[analysis]}, {variant}, {kind}"
                bias = f"{off.mean():+.2f} ({error:.2f})"
                rows.append(
                    [variant, MODELS[analysis], kind.replace("_", " "), bias, cell(rate, judge, what)]
                )
    return table(["variant", "model", "contrast", "bias", "coverage"], rows)


def components(found: Found) -> str:
    rows = []
    kept = found.variances[found.variances["term"].isin(["tau2", "sigma2", "icc", "total_sd"])]
    kept = kept[kept["estimate"].notna() & ~kept["changed"]]
    for (analysis, scenario, term), group in _groups(kept, ["analysis", "scenario", "term"]):
        population = Population(_scenario(scenario), change=False)
        ordinal = analysis == "ordinal"
        truth = (population.ordinal_variances if ordinal else population.linear_variances)[term]
        interval = group[group["conf_low"].notna()]
        # an end that is not there is at infinity
        covered = (interval["conf_low"] <= truth) & (truth <= interval["conf_high"].fillna(np.inf))
        rate = Rate.of(covered, interval["scale"])
        off = group["estimate"].mean() - truth
        error = group["estimate"].std() / np.sqrt(len(group))
        at_zero = (group["status"] == "boundary").mean()
        judged = (
            cell(rate, Rate.covers, f"interval of {term}, {MODELS[analysis]}, {scenario}") or "none stated"
        )
        rows.append(
            [
                MODELS[analysis],
                scenario,
                term,
                f"{truth:.4f}",
                f"{off:+.4f} ({error:.4f})",
                f"{100 * at_zero:.1f}",
                judged,
            ]
        )
    heads = ["model", "scenario", "term", "truth", "bias", "% at the boundary", "interval"]
    return table(heads, rows)


def statuses(made: pd.DataFrame) -> str:
    rows = []
    for (model, scenario), group in _groups(made, ["model", "scenario"]):
        share = group["status"].value_counts(normalize=True)
        names = ["ok", "boundary", "not_estimable", "not_converged", "too_few"]
        rows.append([MODELS[model], scenario, *(f"{100 * share.get(name, 0.0):.2f}" for name in names)])
    return table(["model", "scenario", "ok", "boundary", "not estimable", "not converged", "too few"], rows)


def _groups(frame: pd.DataFrame, by: list[str]) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Groups in the order of the scenarios and the models."""
    order = {name: number for number, name in enumerate([*MODELS, *(one.name for one in SCENARIOS)])}
    groups = list(frame.groupby(by, sort=True)) if len(frame) else []
    return iter(
        sorted(
            groups,
            key=lambda item: [order.get(part, part) if isinstance(part, str) else part for part in item[0]],
        )
    )


def _scenario(name: str) -> Scenario:
    return next(one for one in SCENARIOS if one.name == name)


# --- write --------------------------------------------------------------------------------------------------------


def document(found: Found, families: pd.DataFrame, breaking_off: pd.DataFrame, surveys: int) -> str:
    """Everything, in Markdown."""
    JUDGED.clear()
    made = estimates(found)
    parts = [
        ("Coverage of 95% intervals", COVERAGE_TEXT, coverage(made)),
        ("False positives of tests against 0", FALSE_TEXT, false_positives(made)),
        ("Equivalence tests at the smallest effect", TOST_TEXT, equivalence(made)),
        ("A quarter breaks off", BREAK_OFF_TEXT, broken_off(breaking_off)),
        ("Bias and standard errors", BIAS_TEXT, bias(made)),
        ("Variances", VARIANCE_TEXT, components(found)),
        ("Item functioning", DIF_TEXT, item_functioning(found)),
        ("Cronbach's alpha", ALPHA_TEXT, alphas(found)),
        ("What became of the fits", STATUS_TEXT, statuses(made)),
    ]
    related = cell(
        _any_of_family(families),
        Rate.is_below_level,
        f"Holm over {SCALES} scales of the same respondents, Linear",
    )
    parts[1] = (*parts[1][:2], f"{parts[1][2]}\n\n{RELATED_TEXT} {related}.")
    tally = pd.Series([verdict for verdict, _ in JUDGED]).value_counts()
    failing = [what for verdict, what in JUDGED if verdict == FAILS]
    by_chance = [what for verdict, what in JUDGED if verdict == CHANCE]
    shapes = table(
        ["scenario", "shares of the answers 1-5", "latent ICC", "items", "alpha"],
        [
            [
                one.name,
                " ".join(f"{share:.2f}" for share in one.shares) or "normal numbers",
                f"{one.icc:g}",
                str(len(one.items)),
                f"{Population(one, change=False).alpha[0]:.2f}",
            ]
            for one in SCENARIOS
        ],
    )
    summary = [
        f"Of {len(JUDGED)} claims, {tally.get(HOLDS, 0)} hold, {tally.get(CHANCE, 0)} (°) are outside their limits by "
        f"no more than chance, and {tally.get(FAILS, 0)} (**bold**) do not hold."
    ]
    if failing:
        summary += ["", "Do not hold:", "", *(f"- {what}" for what in failing)]
    if by_chance:
        summary += ["", "Outside by chance:", "", *(f"- {what}" for what in by_chance)]
    versions = ", ".join(
        f"{name} {version}"
        for name, version in (
            ("Python", platform.python_version()),
            ("numpy", np.__version__),
            ("scipy", scipy.__version__),
            ("pandas", pd.__version__),
            ("statsmodels", statsmodels.__version__),
        )
    )
    head = HEAD_TEXT.format(surveys=f"{surveys:,}", seed=SEED, versions=versions, effect=EFFECT, every=EVERY)
    body = [head, shapes, "", "## Verdict", "", *summary]
    for title, text, content in parts:
        body += ["", f"## {title}", "", text, "", content]
    return "\n".join(body) + "\n"


HEAD_TEXT = """# Calibration: the statistics against simulated truth

<!-- written by benchmarks/calibration.py --write; do not edit -->

{surveys} surveys a scenario without a change, and as many with a change of {effect} standard deviations of a latent
answer, downwards, in one organisation in the last wave. Shape and size are the study's: three waves of two
organisations, 912 respondents of one organisation in the first, 139 and 177 in the second, 186 and 221 in the third;
2-4% of answers missing, 3% of respondents break off. Seed {seed}; {versions}.

A survey's respondents differ by a normal deviate z; given z, answers follow the ordinal model, so that the ordinal
model is right and the linear model is not, except for the normal answers. Truth is worked out by integration over z:
for the linear model and % favourable the expected answers that they stand for, and the variances that the linear
model's estimates tend to. In *one cell twice as spread*, respondents of the cell that may change vary twice as much; in
*polarised last wave*, everybody in the last wave varies 1.8 times as much about the same middle. There, the ordinal
model's log odds have no true value and are left out.

In brackets: Monte Carlo standard errors. A coverage should be within 93-97%; where it is not, but within 3 standard
errors of 95%, it is marked °. A false positive rate should be within 3 standard errors of 5%, or not above 5% by more
than that where a method promises no more than 5%. What fails is **bold**.
"""
COVERAGE_TEXT = (
    "`change`: *none* are surveys without a change; *elsewhere* those with one, but of means and contrasts that it "
    "does not touch; *here* those that it touches."
)
FALSE_TEXT = (
    "Two-sided, at 5%, of contrasts that are truly 0. Holm's method: the chance of any false positive among a contrast "
    f"of {SCALES} scales, independent ones."
)
RELATED_TEXT = (
    f"Holm's method over {SCALES} scales that the same respondents answered, with correlations of .5 between the "
    "respondents' standings, linear model, ordinary items:"
)
TOST_TEXT = (
    "The true difference is exactly the smallest effect of interest, so that no more than 5% may be called "
    "equivalent. Tests that have little power call almost nothing so."
)
BREAK_OFF_TEXT = (
    "24% break off before the later of two scales and before they name an organisation: in the first wave anybody, in "
    "the second those who tend to have answered low on the earlier scale (correlation .5 between the scales). `main` "
    "are those who stayed, and is not judged; `imputed` has everybody, by 20 imputations. % favourable in points, "
    "linear in standard deviations of an answer."
)
BIAS_TEXT = (
    "In each cell: the largest bias in % of a standard error, and how large the stated standard error is compared with "
    "the spread of the estimates (1 is right)."
)
VARIANCE_TEXT = (
    "Without a change. The linear model's truth is what its estimates tend to, answers not being normal."
)
DIF_TEXT = (
    "False positives of likelihood-ratio tests at 5% in items that work alike, all pairs of waves and of organisations "
    f"together, unadjusted; and the percentage of items that are flagged. Of every {EVERY}th survey."
)
ALPHA_TEXT = (
    "Coverage of the bootstrap-t interval in the five cells, and false positives of the tests that alpha is the same "
    f"(judged where it is; elsewhere the rate is power). Of every {EVERY}th survey."
)
STATUS_TEXT = "Percent of the means and contrasts above."
