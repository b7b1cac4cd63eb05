"""The words that several rooms share, each written here once: they stand in tables, so a spelling is an interface."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal, TypeAlias

# --- data ---------------------------------------------------------------------------------------------------------


class Evidence(StrEnum):
    """What a wave's data are, strongest first."""

    OBSERVED = "observed"
    RECONSTRUCTED = "reconstructed"
    SIMULATED = "simulated"

    @property
    def meaning(self) -> str:
        """Return in one sentence what a reader may make of such data."""
        return {
            Evidence.OBSERVED: "Real returns.",
            Evidence.RECONSTRUCTED: (
                "Respondents invented so that every published count of the wave is met exactly; how answers go "
                "together within a person, and by organisation, is invented."
            ),
            Evidence.SIMULATED: "Invented from stated parameters: not a finding.",
        }[self]


class Missing(StrEnum):
    """Why an answer is missing."""

    NOT_ASKED = "not_asked"
    SKIPPED = "skipped"
    DONT_KNOW = "dont_know"
    INVALID = "invalid"
    BROKE_OFF = "broke_off"


class Comparability(StrEnum):
    """How a wave's question compares with the instrument's."""

    IDENTICAL = "identical"
    REWORDED = "reworded"
    RESCALED = "rescaled"
    ABSENT = "absent"


ALL: Final = "all"
"""Over every organisation (or wave) together, in the columns `organisation` and `wave`."""

NOT_STATED: Final = "not_stated"
"""The level of a grouping variable that stands for those who did not say theirs."""

ORGANISATION: Final = "organisation"
"""The grouping variable that every study has."""

RESCALED_SUFFIX: Final = "_rescaled"
"""How the column ends that keeps answers on a wave's own response scale, out of comparisons."""

WITHOUT_SCALE: Final = "items_without_scale"
"""Stands for a scale's name where the items are shown that belong to none."""

ROW_COUNTS: Final = ("rows_in", "rows_kept", "rows_set_aside")
"""What ingest counts of a raw file."""

OWNER_ONLY: Final = 0o600
"""Mode of a file with rows of individual people, or with small counts."""

# --- raw files ----------------------------------------------------------------------------------------------------

INGEST_COLUMNS: Final = ("file", "row", "layout", "respondent_source")
"""What ingest puts before the raw columns; no raw column may have such a name."""

ROW_SEPARATOR: Final = " | "
"""Stands between a question and the label of one of its rows."""

UNRESOLVED: Final = "\u26a0unresolved"
"""Stands where two keyings differ and nobody has decided: harmonise reads it as `invalid`. A blank would read as
`skipped`, which is a guess."""

EVERY: Final = "*"
"""Stands in `row` for every row and in `column` for every column."""

SET_ASIDE: Final = "set aside"
"""How the action begins where a row did not become a return."""

# --- estimates ----------------------------------------------------------------------------------------------------


class Status(StrEnum):
    """What became of an estimate.

    `BOUNDARY` comes with an estimate (a variance was estimated as zero); the others come with none.
    `WITHHELD` is what the disclosure rule makes of an estimate, or of a row of counts that lost any.
    """

    OK = "ok"
    BOUNDARY = "boundary"
    NOT_ESTIMABLE = "not_estimable"
    NOT_CONVERGED = "not_converged"
    TOO_FEW = "too_few"
    WITHHELD = "withheld"


ESTIMATED: Final = (Status.OK.value, Status.BOUNDARY.value)
"""The statuses that come with an estimate."""


class Decision(StrEnum):
    """What a contrast comes to: see `surveywaves.mixed.decisions`. Empty where there is no estimate."""

    INCREASE = "increase"
    DECREASE = "decrease"
    NO_MEANINGFUL_CHANGE = "no_meaningful_change"
    INCONCLUSIVE = "inconclusive"


class Checked(StrEnum):
    """What became of a number that was computed again: see `surveywaves.crosscheck`."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_CHECKED = "not_checked"


BETWEEN: Final = " - "
"""Stands between the two sides of a contrast in its term, wave or organisation."""

LINEAR: Final = "linear"
ORDINAL: Final = "ordinal"
FAVOURABLE: Final = "favourable"
RELIABILITY: Final = "reliability"
DIF: Final = "dif"
STRUCTURE: Final = "structure"
PLANNING: Final = "planning"
"""Values of the column `analysis`; the last four are tables too."""

ITEM_FREQUENCIES: Final = "item_frequencies"
ITEM_SUMMARY: Final = "item_summary"
RESPONDENTS: Final = "respondents"
RESPONSE_RATES: Final = "response_rates"
MISSING: Final = "missing"
MEANS: Final = "means"
CONTRASTS: Final = "contrasts"
ITEM_CONTRASTS: Final = "item_contrasts"
VARIANCES: Final = "variances"
DIAGNOSTICS: Final = "diagnostics"
CROSSCHECK: Final = "crosscheck"
SCALE_USE: Final = "scale_use"
SENSITIVITY: Final = "sensitivity"
AGREEMENT: Final = "agreement"
VARIANT_PEOPLE: Final = "variant_people"
PUBLISHED_TABLES: Final = "published_tables"
CLAIMS: Final = "claims"
FILE_COUNTS: Final = "file_counts"
PROBLEMS: Final = "problems"
RECODINGS: Final = "recodings"
"""Names of tables; `surveywaves.catalogue` describes them."""

EMMEAN: Final = "emmean"
PERCENT_FAVOURABLE: Final = "percent_favourable"
RETURNS_NEEDED: Final = "returns_needed"
"""Values of the column `term`."""

FACTOR_CORRELATION: Final = "factor_correlation: "
"""How the term begins that names the scale whose factor is correlated with that of the row's scale."""

SHRUNKEN: Final = "_shrunken"
"""How the term of a mean ends that is shrunken towards the mean of all organisations."""

BETWEEN_SD: Final = "_between_sd"
"""How the term of the standard deviation between these means ends."""

SMALLEST_P: Final = 0.001
"""The smallest p-value that leaves: smaller ones are put there as this, and written "<.001"."""

STANDARDISED: Final = "_standardised"
"""How a term ends whose unit is a standard deviation of one answer."""

RECOMPUTED: Final = "recomputed"
"""The column that stands beside a printed number in the audit of a publication."""

LOW_RELIABILITY: Final = "low_reliability"
"""The use of a scale whose alpha is lower than the study asks for: it is compared like the others, with a mark."""

LOW_RELIABILITY_MARK: Final = "low reliability"
"""How the note begins on an estimate of such a scale."""

# --- differential item functioning --------------------------------------------------------------------------------

Criterion: TypeAlias = Literal["jodoin_gierl", "zumbo"]
Size: TypeAlias = Literal["negligible", "moderate", "large"]

SIZES: Final[tuple[Size, ...]] = ("negligible", "moderate", "large")

CUTS: Final[Mapping[Criterion, tuple[float, float]]] = {"jodoin_gierl": (0.035, 0.070), "zumbo": (0.13, 0.26)}
"""Smallest change of Nagelkerke's R2 that is moderate, and that is large."""

# --- variants of the sensitivity analysis -------------------------------------------------------------------------

MAIN: Final = "main"
IMPUTED: Final = "imputed"

ONLY: Final = "only: "
ADJUSTED: Final = "adjusted: "
"""How the names of variants begin that say what they are about themselves."""

VARIANTS: Final = {
    MAIN: "Main analysis",
    "ordinal_logit": "Ordinal model (logit)",
    "ordinal_probit": "Ordinal model (probit)",
    "scale_score": "Scale scores",
    IMPUTED: "Missing answers imputed",
    "complete_cases": "Complete cases",
    "without_straight_liners": "Without straight-liners",
    "unadjusted": "Unadjusted",
    "without_flagged_items": "Without items that work differently",
    "common_items": "Only what all waves asked alike",
    "without_reworded": "Without reworded statements",
    "raking": "Weighted to population margins",
    "sampling_weights": "With sampling weights",
    "unweighted": "Without sampling weights",
    "without_team": "Without team effect",
    "finite_population": "Staff as a finite population",
}
"""Name of a variant -> its title."""


def variant_title(variant: str, labels: Mapping[str, str] | None = None) -> str:
    """Put a variant's name into words.

    Parameters
    ----------
    variant
        Its name.
    labels
        Words for grouping variables.
    """
    if variant.startswith(ONLY):
        return variant.removeprefix(ONLY)
    if variant.startswith(ADJUSTED):
        named = [(labels or {}).get(name, name) for name in variant.removeprefix(ADJUSTED).split(", ")]
        return f"Adjusted for {', '.join(name[:1].lower() + name[1:] for name in named)}"
    return VARIANTS.get(variant, variant)
