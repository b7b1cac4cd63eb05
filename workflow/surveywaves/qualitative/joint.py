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

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from surveywaves.qualitative.terms import INTERVIEWS, SURVEY, VERDICT, Verdict
from surveywaves.terms import ALL, BETWEEN, PERCENT_FAVOURABLE
from surveywaves.words import records


class Tone(StrEnum):
    """How one half of the study speaks of a principle."""

    FAVOURABLE = "favourable"
    CRITICAL = "critical"
    DIVIDED = "divided"
    SILENT = "silent"


COLUMNS: Final = (
    *("wave", "principle", "side", "scale", "organisation", "theme", "stage", "sources", "n"),
    *("percent", "conf_low", "conf_high", "since", "change", "decision", "favourable", "critical"),
    *("survey_tone", "interview_tone", "verdict"),
)


def joint_display(
    themes: pd.DataFrame,
    told: pd.DataFrame,
    means: pd.DataFrame,
    contrasts: pd.DataFrame,
    *,
    principles: Mapping[str, Sequence[str]],
    themes_of: Mapping[str, Sequence[str]],
    stages: Mapping[str, str],
    waves: Sequence[str],
    silent_below: float,
    confidence: float,
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
    principles, themes_of
        Principle -> its scales, and its themes; both in the order of the table.
    stages
        Stage of the interviews -> the wave that it is compared with.
    waves
        Waves in order of time.
    silent_below, confidence
        See the rules above.

    Returns
    -------
    DataFrame
        `COLUMNS`. For each wave that interviews are compared with and each principle: a row for each scale and
        organisation (`percent` favourable with its interval; `change` from this wave to the last, or to the last from
        the one before it, as `since` says, and its `decision`); a row for each theme and stage (`n` of `sources`
        interviews raise it); and a row with the verdict: `percent` of all `sources` raise the principle, and the
        interval is that of the favourable share of the interviews with one tone.
    """
    levels = _by_place(means[means["term"] == PERCENT_FAVOURABLE])
    changes = _by_place(contrasts[contrasts["term"] == f"change_{PERCENT_FAVOURABLE}"])
    rows: list[dict[str, Any]] = []
    whole = themes[(themes["area"] == ALL) & (themes["organisation"] == ALL)]
    for wave in (wave for wave in waves if wave in stages.values()):
        beside = [stage for stage, own in stages.items() if own == wave]
        interviewed = whole[whole["stage"].isin(beside)]
        sources = interviewed.drop_duplicates("stage")["sources"].sum(min_count=1)
        for principle, scales in principles.items():
            about = {"wave": wave, "principle": principle}
            survey = list(_survey(wave, scales, waves, levels, changes))
            rows += [about | {"side": SURVEY} | row for row in survey]
            own = interviewed[interviewed["theme"].isin(themes_of.get(principle, ()))]
            rows += [
                about | {"side": INTERVIEWS, **{name: getattr(row, name) for name in _OF_THEMES}}
                for row in records(own)
            ]
            spoken = told[(told["theme"] == principle) & told["stage"].isin(beside)]
            interviews = _interviews(spoken, sources, silent_below, confidence)
            survey_tone = _survey_tone(survey)
            verdict = _verdict(survey_tone, Tone(interviews["interview_tone"]))
            said = {"survey_tone": survey_tone.value, "verdict": verdict.value}
            rows.append(about | {"side": VERDICT} | interviews | said)
    return _typed(pd.DataFrame(rows, columns=list(COLUMNS)))


_OF_THEMES: Final = ("theme", "stage", "sources", "n", "percent", "favourable", "critical")
_NUMBERS: Final = ("percent", "conf_low", "conf_high", "change")
_COUNTS: Final = ("sources", "n", "favourable", "critical")


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    words = [name for name in COLUMNS if name not in (*_NUMBERS, *_COUNTS)]
    frame[words] = frame[words].astype("object").fillna("")
    types = dict.fromkeys(words, "str") | dict.fromkeys(_NUMBERS, "float64") | dict.fromkeys(_COUNTS, "Int64")
    return frame.astype(types)


def _by_place(frame: pd.DataFrame) -> dict[tuple[str, str, str], Any]:
    return {(row.scale, row.wave, row.organisation): row for row in records(frame)}


def _survey(
    wave: str,
    scales: Sequence[str],
    waves: Sequence[str],
    levels: Mapping[Any, Any],
    changes: Mapping[Any, Any],
) -> Iterator[dict[str, Any]]:
    """Yield level and change of each scale, organisation by organisation."""
    place = waves.index(wave)
    pair = (waves[-1], wave) if place < len(waves) - 1 else (wave, waves[place - 1])
    since = BETWEEN.join(pair) if pair[0] != pair[1] else ""
    for scale in scales:
        for organisation in [one for name, when, one in levels if (name, when) == (scale, wave)]:
            level, change = levels[scale, wave, organisation], changes.get((scale, since, organisation))
            row = {"scale": scale, "organisation": organisation, "percent": level.estimate}
            row |= {"conf_low": level.conf_low, "conf_high": level.conf_high}
            if change is not None:
                row |= {"since": since, "change": change.estimate, "decision": change.decision}
            if pd.notna(level.estimate):
                row["survey_tone"] = _tone(level.conf_low, level.conf_high, 50.0).value
            yield row


def _tone(low: float, high: float, middle: float) -> Tone:
    return Tone.FAVOURABLE if low > middle else Tone.CRITICAL if high < middle else Tone.DIVIDED


def _survey_tone(rows: Sequence[Mapping[str, Any]]) -> Tone:
    """Combine the scales: all respondents, or the organisations where there is no estimate for all."""
    known = [row for row in rows if "survey_tone" in row]
    tones = {row["survey_tone"] for row in known if row["organisation"] == ALL} or {
        row["survey_tone"] for row in known
    }
    return Tone(tones.pop()) if len(tones) == 1 else Tone.DIVIDED if tones else Tone.SILENT


def _interviews(spoken: pd.DataFrame, sources: Any, silent_below: float, confidence: float) -> dict[str, Any]:
    """Count the interviews that raise a principle, and determine their tone."""
    if pd.isna(sources) or not len(spoken):
        return {"sources": sources, "interview_tone": Tone.SILENT.value}
    good, mixed, bad = (int(spoken[name].sum()) for name in ("favourable", "mixed", "critical"))
    n = good + mixed + bad
    found = {"sources": sources, "n": n, "percent": 100 * n / sources, "favourable": good, "critical": bad}
    tone = Tone.SILENT
    if n and n >= silent_below * sources:
        tone = Tone.DIVIDED
        if good + bad:
            low, high = proportion_confint(good, good + bad, alpha=1 - confidence, method="wilson")
            found |= {"conf_low": 100 * low, "conf_high": 100 * high}
            tone = _tone(low, high, 0.5)
    return found | {"interview_tone": tone.value}


def _verdict(survey: Tone, interviews: Tone) -> Verdict:
    if Tone.SILENT in (survey, interviews):
        return Verdict.SILENT
    if survey is interviews:
        return Verdict.CONVERGENT
    return Verdict.PARTLY if Tone.DIVIDED in (survey, interviews) else Verdict.DIVERGENT
