"""A study of many respondents in many organisations: time and peak memory of every stage, and how both grow.

    python benchmarks/national.py [--respondents 3000] [--organisations 2 8 20 50 200] [--until NAME ...]

Every study has three waves of 61 statements, one organisation being up to five times as large as another. Figures are
those of Snakemake's benchmarks (`results/logs`): start-up of Python and imports are in them. Seconds are by the clock,
on an idle machine nearly those of the processor; the benchmarks' own CPU time is what was seen at the last look, up to
half a minute before a job ends. The growth of a stage is
the power of each number that varies, fitted over all studies (least squares of logarithms): 1 is linear, 2 the square.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

REPOSITORY = Path(__file__).parent.parent
WAVES = ("wave_1", "wave_2", "wave_3")
ITEMS, OF_A_SCALE = 61, 5
FIELDWORK = "{start: 202%d-03-01, end: 202%d-03-31}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--respondents", type=int, nargs="+", default=[3_000], help="in each wave")
    parser.add_argument("--organisations", type=int, nargs="+", default=[2, 8, 20, 50, 200])
    parser.add_argument(
        "--until", nargs="+", default=[], help="rules or files to stop at; else the whole study"
    )
    parser.add_argument("--keep", type=Path, help="where the studies are left")
    parser.add_argument("--config", default="", help="YAML to put under `analysis`, as {comparisons: pairs}")
    parser.add_argument("--cores", type=int, default=1)
    options = parser.parse_args()
    found = []
    for respondents in options.respondents:
        for organisations in options.organisations:
            with tempfile.TemporaryDirectory() as temporary:
                home = options.keep / f"{respondents}x{organisations}" if options.keep else Path(temporary)
                analysis = yaml.safe_load(options.config) or {}
                make(home, respondents=respondents, organisations=organisations, analysis=analysis)
                run(home, options.until, options.cores)
                found.append(stages(home).assign(respondents=respondents, organisations=organisations))
    report(pd.concat(found))


def make(home: Path, *, respondents: int, organisations: int, analysis: dict[str, object]) -> None:
    """Write a study: its description, and a Parquet file a wave."""
    items = [f"item_{number:02}" for number in range(1, ITEMS + 1)]
    scales = [f"scale_{_scale(number) + 1:02}" for number in range(ITEMS)]
    names = [f"org_{number:03}" for number in range(1, organisations + 1)]
    config = {
        "title": f"{organisations} organisations",
        "description": "Invented, to measure what many organisations cost.",
        "waves": list(WAVES),
        "reference_wave": WAVES[0],
        "seed": 1,
        "sections": {1: "Statements"},
        "response_scales": {
            "five": {
                "labels": ["Strongly disagree", "Disagree", "Neither", "Agree", "Strongly agree"],
                "short": ["SD", "D", "N", "A", "SA"],
                "favourable": [4, 5],
            }
        },
        "organisations": {name: f"Organisation {name[4:]}" for name in names},
        "variables": {"sex": {"label": "Sex", "levels": {"woman": "Woman", "man": "Man"}}},
        "analysis": {
            "planning": {"wave": "wave_4", "reference": WAVES[-1], "returns": [1000, 3000]},
            **analysis,
        },
    }
    described = home / "config"
    described.mkdir(parents=True, exist_ok=True)
    (described / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    instrument = pd.DataFrame({"item": items, "text": [f"Statement {item[5:]}." for item in items]})
    instrument = instrument.assign(section=1, scale=scales, keyed="+", response_scale="five")
    titles = list(dict.fromkeys(scales))
    _write(instrument, described / "items.tsv")
    _write(pd.DataFrame({"scale": titles, "title": titles, "source": "invented"}), described / "scales.tsv")
    asked = pd.DataFrame({"item": items, "file": items, "coding": "", "comparability": "identical"})
    asked = asked.assign(wording="", note="")
    rng = np.random.default_rng(organisations)
    sizes = np.exp(rng.uniform(0, math.log(5), organisations))
    opinions = rng.normal(0, 0.2, (organisations, len(titles)))
    for number, wave in enumerate(WAVES):
        folder, file = described / "waves" / wave, home / f"resources/raw/{wave}.parquet"
        folder.mkdir(parents=True, exist_ok=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(asked, folder / "items.tsv")
        text = _wave(wave, number, names, file.relative_to(home))
        (folder / "wave.yaml").write_text(text, encoding="utf-8")
        opinions = opinions + rng.normal(0, 0.1, opinions.shape)
        employer = rng.choice(organisations, respondents, p=sizes / sizes.sum())
        answers = _answers(rng, np.array(names)[employer], opinions[employer], items)
        answers.to_parquet(file, index=False)


def _write(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, sep="\t", index=False)


def _wave(wave: str, number: int, names: list[str], file: Path) -> str:
    """Describe a wave."""
    return yaml.safe_dump(
        {
            "title": wave.replace("_", " ").capitalize(),
            "period": f"202{number}",
            "fieldwork": yaml.safe_load(FIELDWORK % (number, number)),
            "population": {"note": "Invented."},
            "evidence": "simulated",
            "evidence_note": "Invented.",
            "organisations_surveyed": names,
            "layouts": {"file": {"format": "table", "respondent": "id", "coding": "codes", "ignore": ["id"]}},
            "files": [{"path": file.as_posix(), "layout": "file"}],
            "codings": {"codes": {"response_scale": "five", "values": {str(n): n for n in range(1, 6)}}},
            "organisation": {"columns": {"file": "employer"}, "map": {name: name for name in names}},
            "variables": {"sex": {"columns": {"file": "sex"}, "map": {"w": "woman", "m": "man"}}},
        },
        sort_keys=False,
    )


def _scale(number: int) -> int:
    """Number the scale of an item: the last scale takes what is left."""
    return min(number // OF_A_SCALE, ITEMS // OF_A_SCALE - 1)


def _answers(
    rng: np.random.Generator, employer: np.ndarray, shift: np.ndarray, items: list[str]
) -> pd.DataFrame:
    """Draw the answers of a wave, one in a hundred skipped; `shift` is that of each respondent and scale."""
    size = len(employer)
    person = rng.normal(0, 0.5, size)
    opinion = person[:, None] + rng.normal(0, 0.6, shift.shape) + shift
    columns: dict[str, object] = {
        "id": np.arange(size),
        "employer": employer,
        "sex": rng.choice(["w", "m"], size),
    }
    for number, item in enumerate(items):
        latent = opinion[:, _scale(number)] + rng.normal(0.1 * (number % 3), 0.8, size)
        answers = np.searchsorted([-2.0, -1.0, 0.0, 1.2], latent) + 1.0
        columns[item] = pd.array(np.where(rng.random(size) < 0.01, np.nan, answers), dtype="Int8")
    return pd.DataFrame(columns)


def run(home: Path, until: list[str], cores: int) -> None:
    """Run the workflow, its output in a log beside the study."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile"), *until]
    with (home / "snakemake.log").open("w", encoding="utf-8") as log:
        subprocess.run(
            [*command, "--directory", str(home), "--cores", str(cores)], check=True, stdout=log, stderr=log
        )


def stages(home: Path) -> pd.DataFrame:
    """Return the total seconds of each rule's jobs, and the largest peak of one of them, in GB."""
    logs = home / "results/logs"
    jobs = [
        pd.read_csv(path, sep="\t", na_values="-").assign(stage=path.relative_to(logs).parts[0].split(".")[0])
        for path in sorted(logs.rglob("*.benchmark.tsv"))
    ]
    found = (
        pd.concat(jobs).groupby("stage", as_index=False).agg(seconds=("s", "sum"), peak=("max_rss", "max"))
    )
    return found.assign(peak=found["peak"] / 1e3)


def report(found: pd.DataFrame) -> None:
    """Print seconds and peak memory, a row a stage, with the growth of its time."""
    sizes = ["respondents", "organisations"]
    every = found.groupby(sizes, as_index=False).agg(seconds=("seconds", "sum"), peak=("peak", "max"))
    found = pd.concat([found, every.assign(stage="all")])
    varying = [size for size in sizes if len(set(found[size])) > 1]
    table = found.pivot_table(index="stage", columns=sizes, values=["seconds", "peak"]).swaplevel(
        0, 2, axis=1
    )
    table = table.sort_index(axis=1).sort_values(table.columns[-2], ascending=False).round(1)
    for stage, own in found[found["seconds"] > 0].groupby("stage"):
        if len(own) <= len(varying):
            continue
        factors = np.column_stack([np.ones(len(own)), np.log(own[varying])])
        powers = np.linalg.lstsq(factors, np.log(own["seconds"]), rcond=None)[0][1:]
        for size, power in zip(varying, powers, strict=True):
            table.loc[stage, ("growth", size, "")] = power.round(2)
    print(table.to_string())


if __name__ == "__main__":
    main()
