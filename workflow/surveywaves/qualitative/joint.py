"""The joint display: for each principle, the results of the survey beside those of the interviews.

Joint displays show both halves of a study side by side (Guetterman, Fetters and Creswell 2015, Annals of Family
Medicine 13, 554). Whether they agree is decided by rules that anybody can apply, after the triangulation protocol of
Farmer et al. (2006, Qualitative Health Research 16, 377):

- **Survey**: favourable (critical) where the interval of the percentage favourable of every scale of the principle
  lies above (below) 50, of all respondents; divided otherwise; silent without a scale or an estimate.
- **Interviews**: silent where fewer than a stated share raise any theme of the principle; favourable (critical) where,
  among the interviews with one tone, the (Wilson) interval of the favourable share lies above (below) a half; divided
  otherwise.
- **Verdict**: silent where either half is; convergent where both are the same; divergent where one is favourable and
  the other critical; partly convergent where one of them is divided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from surveywaves.qualitative.terms import INTERVIEWS, SURVEY, TONES, VERDICT, Verdict
from surveywaves.study.parts import QualitativePart
from surveywaves.terms import ALL, BETWEEN, PERCENT_FAVOURABLE


class Tone(StrEnum):
    """How one half of the study speaks of a principle."""

    FAVOURABLE = "favourable"
    CRITICAL = "critical"
    DIVIDED = "divided"
    SILENT = "silent"


_WORD, _COUNT, _NUMBER = "str", "Int64", "float64"
COLUMNS: Final = {
    **dict.fromkeys(("wave", "principle", "side", "scale", "organisation", "theme", "stage"), _WORD),
    **dict.fromkeys(("sources", "n"), _COUNT),
    **dict.fromkeys(("percent", "conf_low", "conf_high"), _NUMBER),
    "since": _WORD,
    "change": _NUMBER,
    "decision": _WORD,
    "favourable": _COUNT,
    "critical": _COUNT,
    **dict.fromkeys(("survey_tone", "interview_tone", "verdict"), _WORD),
}
"""Columns with their types; words that a row has none of are empty."""


def joint_display(
    themes: pd.DataFrame,
    told: pd.DataFrame,
    means: pd.DataFrame,
    contrasts: pd.DataFrame,
    *,
    part: QualitativePart,
) -> pd.DataFrame:
    """Show the survey's scales beside the themes of the interviews.

    Parameters
    ----------
    themes
        Released: see `surveywaves.qualitative.themes.themes`.
    told
        For each stage and principle (`stage, theme`, the principle) the interviews that raise it, by tone: see
        `surveywaves.qualitative.themes.tones`.
    means, contrasts
        Released.
    part
        The principles and what speaks to them, waves and stages, and the numbers in the rules above.

    Returns
    -------
    DataFrame
        `COLUMNS`. For each wave that interviews are compared with and each principle: a row for each scale and
        organisation (`percent` favourable with its interval; `change` from this wave to the last, or to the last from
        the one before it, as `since` says, and its `decision`); a row for each theme and stage (`n` of `sources`
        interviews raise it); and a row with the verdict: `percent` of all `sources` raise the principle, and the
        interval is that of the favourable share of the interviews with one tone.
    """
    rows: list[dict[Any, Any]] = []
    whole = themes[(themes["area"] == ALL) & (themes["organisation"] == ALL)]
    for wave in part.waves:
        here = [name for name, stage in part.file.stages.items() if stage.wave == wave]
        interviewed, spoken = (frame[frame["stage"].isin(here)] for frame in (whole, told))
        sources = interviewed.drop_duplicates("stage")["sources"].sum(min_count=1)
        scales = _survey(means, contrasts, wave, part.waves)
        for principle, own in part.principles.items() if here else ():
            survey = [row for scale in own.scales for row in scales if row["scale"] == scale]
            raised = interviewed[interviewed["theme"].isin(own.themes)]
            tones = spoken[spoken["theme"] == principle]
            verdict = _interviews(tones, sources, part.file.display.silent_below, part.confidence)
            tone = _survey_tone(survey)
            verdict |= {"survey_tone": tone, "verdict": _verdict(tone, verdict["interview_tone"])}
            about = {"wave": wave, "principle": principle}
            rows += [about | {"side": SURVEY} | row for row in survey]
            rows += [about | {"side": INTERVIEWS} | row for row in raised[_OF_THEMES].to_dict("records")]
            rows.append(about | {"side": VERDICT} | verdict)
    words = {name: "" for name, kind in COLUMNS.items() if kind == _WORD}
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="object").fillna(words).astype(COLUMNS)


_OF_THEMES: Final = ["theme", "stage", "sources", "n", "percent", "favourable", "critical"]


def _survey(
    means: pd.DataFrame, contrasts: pd.DataFrame, wave: str, waves: Sequence[str]
) -> list[dict[Any, Any]]:
    """List level and change of each scale, organisation by organisation."""
    place = waves.index(wave)
    since = BETWEEN.join((waves[-1], wave) if place < len(waves) - 1 else (wave, waves[place - 1]))
    levels = means[(means["term"] == PERCENT_FAVOURABLE) & (means["wave"] == wave)]
    changes = contrasts[(contrasts["term"] == f"change_{PERCENT_FAVOURABLE}") & (contrasts["wave"] == since)]
    changes = changes.rename(columns={"estimate": "change", "wave": "since"})
    key = ["scale", "organisation"]
    rows = levels.rename(columns={"estimate": "percent"})[[*key, "percent", "conf_low", "conf_high"]].merge(
        changes[[*key, "since", "change", "decision"]], how="left", on=key
    )
    rows["survey_tone"] = [
        _tone(low, high, 50.0) if pd.notna(percent) else ""
        for percent, low, high in zip(rows["percent"], rows["conf_low"], rows["conf_high"], strict=True)
    ]
    return rows.to_dict("records")


def _tone(low: float, high: float, middle: float) -> Tone:
    return Tone.FAVOURABLE if low > middle else Tone.CRITICAL if high < middle else Tone.DIVIDED


def _survey_tone(rows: Iterable[Mapping[str, Any]]) -> Tone:
    """Combine the scales: all respondents, or the organisations where there is no estimate for all."""
    known = [(row["organisation"] == ALL, row["survey_tone"]) for row in rows if row["survey_tone"]]
    tones = {tone for whole, tone in known if whole} or {tone for _, tone in known}
    return Tone(tones.pop()) if len(tones) == 1 else Tone.DIVIDED if tones else Tone.SILENT


def _interviews(spoken: pd.DataFrame, sources: Any, silent_below: float, confidence: float) -> dict[str, Any]:
    """Count the interviews that raise a principle, and determine their tone."""
    if pd.isna(sources) or not len(spoken):
        return {"sources": sources, "interview_tone": Tone.SILENT}
    good, mixed, bad = map(int, spoken[list(TONES)].sum())
    n = good + mixed + bad
    found = {"sources": sources, "n": n, "percent": 100 * n / sources, "favourable": good, "critical": bad}
    tone = Tone.SILENT
    if n and n >= silent_below * sources:
        tone = Tone.DIVIDED
        if good + bad:
            low, high = proportion_confint(good, good + bad, alpha=1 - confidence, method="wilson")
            found |= {"conf_low": 100 * low, "conf_high": 100 * high}
            tone = _tone(low, high, 0.5)
    return found | {"interview_tone": tone}


def _verdict(survey: Tone, interviews: Tone) -> Verdict:
    if Tone.SILENT in (survey, interviews):
        return Verdict.SILENT
    if survey is interviews:
        return Verdict.CONVERGENT
    return Verdict.PARTLY if Tone.DIVIDED in (survey, interviews) else Verdict.DIVERGENT
