"""Surveys of the study's shape with a known truth: who answers what, and what the right answers of each model are.

Three waves and two organisations, the first wave large and of one organisation only. A respondent's latent answer to
an item is cell + item + tau z + a logistic deviation, with z ~ N(0, 1), and its category lies between thresholds:
the ordinal model's own assumptions. What the linear model estimates on such data are means of the categories' numbers;
they follow by integration over z, not from a sample. In one scenario answers are normal numbers: the linear model's
own assumptions. In two, cells spread unequally: neither model is right, and its ordinal form is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from surveywaves.sample import Sample, Scale

WAVES = ("baseline", "first", "second")
ORGANISATIONS = ("health", "social")
CELLS = (
    ("baseline", "social"),
    ("first", "health"),
    ("first", "social"),
    ("second", "health"),
    ("second", "social"),
)
RESPONDENTS = np.array([912, 139, 177, 186, 221])
MOVED = CELLS.index(("second", "health"))
"""The cell that a known change is in."""

EFFECT = 0.2
"""The known change, in standard deviations of one latent answer. It is a fall: where most answers are at the top, a
fall makes them vary more, which is what a model of one variance suffers from most."""

FAVOURABLE = (4, 5)
MISSING = (0.02, 0.04)
"""Chance that an answer is missing, of the first and of the last item."""

BREAK_OFF = 0.03
"""Chance that a respondent stops at some item of the scale, each as likely."""

Z = np.linspace(-9, 9, 4001)
WEIGHT = np.exp(-(Z**2) / 2) / np.exp(-(Z**2) / 2).sum()

Key = tuple[str, str, str]
"""Term, wave, organisation."""


@dataclass(frozen=True)
class Scenario:
    """What the answers look like."""

    name: str
    """In words."""
    shares: tuple[float, ...]
    """Of the five answers to an item of average difficulty, ascending; none if answers are normal numbers."""
    icc: float
    """Of latent answers."""
    items: tuple[float, ...]
    """Difficulties of the items, in standard deviations of one latent answer, with mean 0."""
    between: tuple[float, ...] = ()
    within: tuple[float, ...] = ()
    """(C,) by how much respondents, and the answers of one, vary more in each cell than in the others; empty:
    equally."""

    @property
    def equal(self) -> bool:
        """Whether all cells vary alike, so that the ordinal model is right."""
        return not (self.between or self.within)


FIVE = (-0.5, -0.25, 0.0, 0.25, 0.5)
SCENARIOS = (
    Scenario("ordinary items", (0.05, 0.17, 0.26, 0.39, 0.13), 0.45, FIVE),
    Scenario("skewed items", (0.02, 0.05, 0.13, 0.45, 0.35), 0.45, FIVE),
    Scenario("ceiling items", (0.01, 0.02, 0.07, 0.20, 0.70), 0.45, (-0.2, -0.1, 0.0, 0.1, 0.2)),
    Scenario("ICC near 0", (0.05, 0.17, 0.26, 0.39, 0.13), 0.005, FIVE),
    Scenario("two items", (0.05, 0.17, 0.26, 0.39, 0.13), 0.45, (-0.25, 0.25)),
    Scenario("normal answers", (), 0.45, FIVE),
    Scenario("one cell twice as spread", (0.05, 0.17, 0.26, 0.39, 0.13), 0.45, FIVE, between=(1, 1, 1, 2, 1)),
    Scenario(
        "polarised last wave",
        (0.05, 0.17, 0.26, 0.39, 0.13),
        0.45,
        FIVE,
        between=(1, 1, 1, 1.8, 1.8),
        within=(1, 1, 1, 1.8, 1.8),
    ),
)


@dataclass(frozen=True)
class Population:
    """A scenario without, or with, the known change."""

    scenario: Scenario
    change: bool

    @property
    def normal(self) -> bool:
        """Whether answers are normal numbers."""
        return not self.scenario.shares

    @property
    def names(self) -> list[str]:
        """Names of the items."""
        return [f"item{number}" for number in range(len(self.scenario.items))]

    def given(self, frame: pd.DataFrame, scale: str) -> tuple[Sample, Scale]:
        """Who is analysed, and by which answers."""
        span = (-50, 50) if self.normal else (1, 5)
        named = Scale(scale, tuple(self.names), dict.fromkeys(self.names, 1), span, favourable=FAVOURABLE)
        return Sample(frame, WAVES, ORGANISATIONS), named

    @cached_property
    def latent_sd(self) -> float:
        """Of one latent answer; normal answers have 1."""
        return 1.0 if self.normal else float(np.sqrt(np.pi**2 / 3 / (1 - self.scenario.icc)))

    @cached_property
    def tau(self) -> float:
        """Standard deviation between respondents."""
        return float(np.sqrt(self.scenario.icc)) * self.latent_sd

    @cached_property
    def between(self) -> np.ndarray:
        """(C,) standard deviation between respondents of each cell."""
        return self.tau * np.array(self.scenario.between or np.ones(len(CELLS)))

    @cached_property
    def within(self) -> np.ndarray:
        """(C,) how much more the answers of a respondent vary than by a logistic deviation."""
        return np.array(self.scenario.within or np.ones(len(CELLS)), dtype=np.float64)

    @cached_property
    def item(self) -> np.ndarray:
        """(J,) item effects."""
        return np.array(self.scenario.items) * self.latent_sd

    @cached_property
    def cell(self) -> np.ndarray:
        """(C,) cell effects."""
        effect = np.zeros(len(CELLS))
        effect[MOVED] = -EFFECT * self.latent_sd * self.change
        return effect

    @cached_property
    def thresholds(self) -> np.ndarray:
        """(4,) where answers to an item of average difficulty have the scenario's shares."""
        below = np.cumsum(self.scenario.shares)[:-1]
        return np.array(
            [brentq(lambda t, s=share: WEIGHT @ expit(t - self.tau * Z) - s, -40, 40) for share in below]
        )

    # --- simulation -------------------------------------------------------------------------------------------

    def simulate(self, rng: np.random.Generator, common: np.ndarray | None = None) -> pd.DataFrame:
        """Draw one survey; respondents of surveys that have the same `common` (N,) z correlate .5."""
        number, items = int(RESPONDENTS.sum()), len(self.item)
        z = rng.normal(size=number)
        if common is not None:
            z = np.sqrt(0.5) * (z + common)
        latent = np.repeat(self.cell, RESPONDENTS)[:, None] + self.item
        latent = latent + (np.repeat(self.between, RESPONDENTS) * z)[:, None]
        if self.normal:
            answers = 3 + latent + rng.normal(0, np.sqrt(1 - self.tau**2), (number, items))
        else:
            latent += np.repeat(self.within, RESPONDENTS)[:, None] * rng.logistic(size=(number, items))
            answers = np.searchsorted(self.thresholds, latent) + 1.0
        answers[rng.random((number, items)) < np.linspace(*MISSING, items)] = np.nan
        stops = np.where(rng.random(number) < BREAK_OFF, rng.integers(0, items, number), items)
        answers[np.arange(items) >= stops[:, None]] = np.nan
        wave, organisation = np.repeat(np.array(CELLS), RESPONDENTS, axis=0).T
        return pd.DataFrame({"wave": wave, "organisation": organisation}).assign(
            **dict(zip(self.names, answers.T, strict=True))
        )

    # --- truth ------------------------------------------------------------------------------------------------

    @cached_property
    def _chances(self) -> np.ndarray:
        """(C, J, 5, Z) of each answer, given z."""
        at = self.cell[:, None] + self.item
        by_z = self.between[:, None, None, None] * Z
        below = expit(
            (self.thresholds[:, None] - at[..., None, None] - by_z) / self.within[:, None, None, None]
        )
        edge = np.zeros((*at.shape, 1, len(Z)))
        return np.diff(np.concatenate([edge, below, edge + 1], axis=2), axis=2)

    @cached_property
    def means(self) -> np.ndarray:
        """(C, J) expected answers."""
        if self.normal:
            return 3 + self.cell[:, None] + self.item
        return np.einsum("cjkz,k,z->cj", self._chances, np.arange(1.0, 6), WEIGHT)

    @cached_property
    def covariances(self) -> np.ndarray:
        """(C, J, J) of answers to two items."""
        if self.normal:
            size = len(self.item)
            one = self.tau**2 * np.ones((size, size)) + (1 - self.tau**2) * np.eye(size)
            return np.tile(one, (len(CELLS), 1, 1))
        given_z = np.einsum("cjkz,k->cjz", self._chances, np.arange(1.0, 6))
        squares = np.einsum("cjkz,k,z->cj", self._chances, np.arange(1.0, 6) ** 2, WEIGHT)
        covariance = np.einsum("cjz,ciz,z->cji", given_z, given_z, WEIGHT)
        diagonal = np.arange(len(self.item))
        covariance[:, diagonal, diagonal] = squares
        return covariance - self.means[:, :, None] * self.means[:, None, :]

    @cached_property
    def linear_variances(self) -> dict[str, float]:
        """What the linear model's variances tend to: of answers about cell + item, pooled over cells."""
        share, items = RESPONDENTS / RESPONDENTS.sum(), len(self.item)
        by_cell = self.means.mean(axis=1, keepdims=True)
        beside = self.means - by_cell - share @ (self.means - by_cell)
        own = np.einsum("cjj->c", self.covariances) / items
        between = (self.covariances.sum(axis=(1, 2)) / items - own) / (items - 1)
        beside_mean = (beside**2).mean(axis=1)
        tau2 = float(share @ (between - beside_mean / (items - 1)))
        total = float(share @ (own + beside_mean))
        return {
            "tau2": tau2,
            "sigma2": total - tau2,
            "icc": tau2 / total,
            "total_sd": float(np.sqrt(total)),
        }

    @cached_property
    def ordinal_variances(self) -> dict[str, float]:
        """The ordinal model's."""
        return {"tau2": self.tau**2, "icc": self.scenario.icc, "total_sd": self.latent_sd}

    @cached_property
    def alpha(self) -> np.ndarray:
        """(C,) Cronbach's alpha."""
        items = len(self.item)
        own = np.einsum("cjj->c", self.covariances)
        return items / (items - 1) * (1 - own / self.covariances.sum(axis=(1, 2)))

    def truth(self, analysis: str) -> dict[Key, float]:
        """Every mean and every contrast between cells that exist."""
        if analysis == "linear":
            return _contrasted("emmean", "", self.means.mean(axis=1))
        if analysis == "ordinal":
            return _contrasted("emmean", "", self.cell + self.item.mean() - self.thresholds.mean())
        wanted = np.array(FAVOURABLE) - 1
        percent = 100 * np.einsum("cjkz,z->c", self._chances[:, :, wanted], WEIGHT) / len(self.item)
        return _contrasted("percent_favourable", "_percent_favourable", percent)


def _contrasted(mean: str, ending: str, values: np.ndarray) -> dict[Key, float]:
    by_cell = dict(zip(CELLS, values.tolist(), strict=True))
    found: dict[Key, float] = {(mean, *cell): value for cell, value in by_cell.items()}
    for early, late in combinations(WAVES, 2):
        for organisation in ORGANISATIONS:
            if (early, organisation) in by_cell:
                change = by_cell[late, organisation] - by_cell[early, organisation]
                found[f"change{ending}", f"{late} - {early}", organisation] = change
    one, other = ORGANISATIONS
    between = f"{one} - {other}"
    for wave in WAVES[1:]:
        found[f"gap{ending}", wave, between] = by_cell[wave, one] - by_cell[wave, other]
    did = found[f"gap{ending}", WAVES[2], between] - found[f"gap{ending}", WAVES[1], between]
    found[f"difference_in_differences{ending}", f"{WAVES[2]} - {WAVES[1]}", between] = did
    return found


@dataclass(frozen=True)
class BreakingOff:
    """Two waves of two organisations, a share of which breaks off before the later of two scales.

    Who breaks off names no organisation either: it is asked at the end. In the first wave they are anybody; in the
    second they tend to have answered low on the earlier scale. Latent answers are normal, with correlation `ICC` within
    a scale; an organisation's answers differ by `GAP`, the second wave's by `SHIFT`, in latent standard deviations.
    """

    share: float = 0.24
    """Who breaks off, in either wave."""
    related: float = 0.6
    """Correlation of the earlier scale with the propensity to stay, in the second wave."""
    between: float = 0.7
    """Correlation of the two scales' person effects; .7 makes that of the scores .5 and a bit."""
    respondents: tuple[int, int, int, int] = (170, 219, 186, 235)
    """Of the cells, (wave, organisation), organisations running fastest."""

    ICC = 0.45
    GAP = 0.3
    SHIFT = 0.1
    CUTS = (-1.6, -0.7, 0.1, 1.2)
    HARD = (-0.3, -0.1, 0.1, 0.3)

    @property
    def scales(self) -> tuple[Scale, Scale]:
        """The earlier and the later one."""
        made = []
        for name in ("early", "late"):
            items = tuple(f"{name}{number}" for number in range(len(self.HARD)))
            made.append(Scale(name, items, dict.fromkeys(items, 1), (1, 5), FAVOURABLE))
        return made[0], made[1]

    def sample(self, frame: pd.DataFrame) -> Sample:
        """Who is analysed."""
        return Sample(frame, WAVES[1:], ORGANISATIONS)

    def simulate(self, rng: np.random.Generator) -> pd.DataFrame:
        """Draw one survey; `whole_organisation` and `whole_<item>` are what would have come without breaking off."""
        later, health = (part.repeat(self.respondents) for part in np.array([[0, 0, 1, 1], [1, 0, 1, 0]]))
        number = len(later)
        common, own = rng.normal(size=(2, number))
        late = self.between * common + np.sqrt(1 - self.between**2) * own
        level = self.GAP * health + self.SHIFT * later
        columns: dict[str, np.ndarray] = {}
        for scale, person in zip(self.scales, (common, late), strict=True):
            latent = level[:, None] + np.sqrt(self.ICC) * person[:, None] + np.array(self.HARD)
            latent += np.sqrt(1 - self.ICC) * rng.normal(size=latent.shape)
            answers = np.searchsorted(self.CUTS, latent) + 1.0
            columns |= dict(zip(scale.items, answers.T, strict=True))
        score = np.mean([columns[item] for item in self.scales[0].items], axis=0)
        score = (score - score.mean()) / score.std()
        stay = np.where(later == 1, self.related, 0.0) * score
        stay += np.where(later == 1, np.sqrt(1 - self.related**2), 1.0) * rng.normal(size=number)
        gone = np.zeros(number, dtype=np.bool_)
        for wave in (0, 1):
            gone[later == wave] = stay[later == wave] < np.quantile(stay[later == wave], self.share)
        organisation = np.where(health == 1, *ORGANISATIONS)
        frame = pd.DataFrame({"wave": np.where(later == 1, WAVES[2], WAVES[1])}, dtype="str")
        frame["organisation"] = pd.Series(organisation, dtype="str").mask(gone)
        frame["whole_organisation"] = pd.Series(organisation, dtype="str")
        for item, answers in columns.items():
            frame[item] = np.where(gone & item.startswith("late"), np.nan, answers)
            frame[f"whole_{item}"] = answers
        return frame

    def truth(self) -> dict[str, dict[Key, float]]:
        """Analysis -> every contrast of the later scale: of mean answers (`linear`), of % favourable (`favourable`)."""
        level = np.array([[self.GAP, 0.0], [self.GAP + self.SHIFT, self.SHIFT]])
        below = norm.cdf(np.array(self.CUTS)[:, None, None, None] - level[:, :, None] - np.array(self.HARD))
        means = 1 + (1 - below).sum(axis=0).mean(axis=-1)
        percent = 100 * (1 - below[min(FAVOURABLE) - 2]).mean(axis=-1)
        found = {}
        for analysis, cells in (("linear", means), ("favourable", percent)):
            change, between = f"{WAVES[2]} - {WAVES[1]}", " - ".join(ORGANISATIONS)
            gaps, moves = cells[:, 0] - cells[:, 1], cells[1] - cells[0]
            of: dict[Key, float] = {
                ("change", change, one): v for one, v in zip(ORGANISATIONS, moves, strict=True)
            }
            of |= {("gap", wave, between): v for wave, v in zip(WAVES[1:], gaps, strict=True)}
            of["difference_in_differences", change, between] = gaps[1] - gaps[0]
            found[analysis] = of
        return found
