"""The choices of the analysis, and the base that every model of the configuration is built on."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveInt,
    StringConstraints,
    field_validator,
)

from surveywaves.terms import ALL, Criterion, Size

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,28}$")]
"""A name in lower case that R, SPSS and Stata accept as well."""

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]


def _no_braces(path: str) -> str:
    """Refuse a path that Snakemake would take for a pattern."""
    if "{" in path or "}" in path:
        raise ValueError("a file's name may not hold `{` or `}`: rename it")
    return path


FilePath = Annotated[Text, AfterValidator(_no_braces)]


class Model(BaseModel):
    """What all parts of the configuration have in common: no unknown key passes, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class SmallestEffect(Model):
    """The smallest effect of interest: what is nearer to zero than this is of no consequence to the study."""

    standardised: float = Field(default=0.2, gt=0)
    """For differences of means and of log odds: in standard deviations of one answer, between and within respondents. A
    mean of k answers that correlate r varies less: in standard deviations of a scale score it is this / sqrt(r + (1 -
    r) / k), .2 being .26 where five answers correlate .5."""
    percentage_points: float = Field(default=5.0, gt=0, lt=100)
    """For differences of the percentage of favourable answers, the headline."""


class ScaleUse(Model):
    """When a scale is marked as of low reliability."""

    smallest_alpha: float = Field(default=0.60, ge=0, lt=1)
    """True alpha that is asked for: a scale is marked whose Cronbach's alpha, over all waves and organisations, is
    below it."""


class Functioning(Model):
    """When an item works so differently between groups that comparisons are made again without it (DIF)."""

    min_n: int = Field(default=50, ge=2)
    """Respondents a group needs before its items are examined."""
    criterion: Criterion = "jodoin_gierl"
    """Whose classes of the change of Nagelkerke's R2."""
    at_least: Size = "moderate"
    """Smallest class that is flagged, if also significant."""


FEWEST_IMPUTATIONS: Final = 20


class Sensitivity(Model):
    """Other ways to analyse, beside those that need nothing to be said."""

    only: dict[Text, dict[Name, Name]] = Field(default_factory=dict)
    """Title -> grouping variable -> level: the comparisons with these respondents only."""
    adjust_for: tuple[Name, ...] = ()
    """Grouping variables to adjust for besides; who does not state one is a level of its own, and waves that do not
    know it take no part."""
    straight_lining: PositiveInt = 10
    """Who gave one and the same answer to all of so many items or more counts as a straight-liner."""
    imputations: int = Field(default=20, ge=0)
    """Completed data sets of the multiple imputation: 20 or more; 0: nothing is imputed."""

    @field_validator("imputations")
    @classmethod
    def _enough(cls, number: int) -> int:
        if 0 < number < FEWEST_IMPUTATIONS:
            raise ValueError(f"{FEWEST_IMPUTATIONS} or more, or 0 for none")
        return number


class Planning(Model):
    """What a wave to come can detect."""

    wave: Name
    """The wave to come; it need not have any data."""
    reference: Name
    """The wave that it is compared with, whose variances are taken."""
    returns: tuple[PositiveInt, ...] = Field(min_length=1)
    """Expected numbers of returns, ascending."""
    power: float = Field(default=0.8, gt=0, lt=1)
    """Power at which the smallest detectable effect is given."""


class Against(Model):
    """One organisation that the others are compared with."""

    against: Name
    """The organisation."""


PAIRS_UP_TO: Final = 4
"""Organisations that are compared in pairs where nothing is said: 6 pairs; 20 would be 190."""


class Analysis(Model):
    """Choices of the analysis."""

    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Confidence level of every interval."""
    covariates: tuple[Name, ...] = ()
    """Grouping variables that the mixed models adjust for."""
    team: Name | None = None
    """Grouping variable that names each respondent's team: the models then have a team effect besides."""
    weighted: bool = False
    """The models use the waves' sampling weights (`weight` of the layouts)."""
    smallest_overlap: float = Field(default=0.5, ge=0, le=1)
    """Smallest share of the respondents compared whose covariates occur in every cell of a contrast; with less,
    adjusting adjusts nothing, and there is no estimate."""
    shares: dict[Name, NonNegativeFloat] = Field(default_factory=dict)
    """Organisation -> its staff, a number or share: how estimates of all staff are weighted. Empty: `margins` of
    `organisation` in the reference wave's population, else how its respondents divide."""
    comparisons: Literal["pairs", "against_all"] | Against | None = Field(
        default=None,
        description="What each organisation is compared with: every other one (`pairs`), the mean of all "
        "(`against_all`, as in benchmark reports) or a named one (`{against: NAME}`). Empty: pairs up to "
        f"{PAIRS_UP_TO} organisations, else the mean of all.",
    )
    partial_pooling: bool = False
    """Whether released means are also given shrunken towards the mean of all organisations, as league tables need: the
    less an organisation's own answers tell, the more. Where organisations are ranked, they are by these."""
    robust: bool = True
    """Standard errors hold where waves and organisations differ in their spread (CR2)."""
    min_cell: int = Field(default=5, ge=2)
    """Respondents a wave x organisation cell needs before it is estimated."""
    multiplicity: Literal["holm", "fdr_bh", "none"] = "holm"
    """Adjustment of p-values across scales within a contrast."""
    item_multiplicity: Literal["holm", "fdr_bh", "none"] = "fdr_bh"
    """Adjustment of p-values across items within a contrast."""
    smallest_effect: SmallestEffect = Field(default_factory=SmallestEffect)
    """What a difference must reach to be of interest."""
    scale_use: ScaleUse = Field(default_factory=ScaleUse)
    """When a scale is marked as of low reliability."""
    functioning: Functioning = Field(default_factory=Functioning)
    """When an item works differently between groups."""
    sensitivity: Sensitivity = Field(default_factory=Sensitivity)
    """Other ways to analyse, set beside the main one."""
    planning: Planning | None = None
    """A wave to plan; empty: none."""

    def compared_with(self, organisations: int) -> str:
        """Name what each of so many organisations is compared with: ``all``, one of them; empty: each other."""
        if isinstance(self.comparisons, Against):
            return self.comparisons.against
        pairs = organisations <= PAIRS_UP_TO if self.comparisons is None else self.comparisons == "pairs"
        return "" if pairs else ALL
