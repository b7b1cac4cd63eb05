"""Another publication, of another study with other response scales, is audited by its tables and claims alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pypandoc
import pytest
import yaml
from lxml import html

from runs import snakemake
from surveywaves.report.numbers import Material
from surveywaves.report.sections import sections
from surveywaves.study import load_study
from surveywaves.study.parts import Presentation
from test_report_numbers import MARKDOWN

WAVE = "part_a"
ITEMS = ("make_bed", "wash_dishes", "dust")
CATEGORIES = {f"r{response}": f"R{response}" for response in range(1, 8)}
SWAPPED = "dust"
"""The item whose print has two digits of a count in the wrong order."""


def honest() -> pd.DataFrame:
    """Give the counts that an honest publication would print: responses, an item a column."""
    frame = pd.read_parquet("results/statistics/item_frequencies.parquet")
    rows = frame[(frame["wave"] == WAVE) & (frame["organisation"] == "all") & frame["item"].isin(ITEMS)]
    return rows.pivot_table(index="response", columns="item", values="n")


def publish(folder: Path) -> None:
    """Print a table of three items, with a misprint and with claims of which one is wrong."""
    counts = honest()
    lines = []
    for row, item in enumerate(ITEMS, start=1):
        n = [int(value) for value in counts[item]]
        shares = [f"{100 * value / sum(n):.1f}" for value in n]
        if item == SWAPPED:
            place = next(place for place, value in enumerate(n) if value > 11 and value % 11)
            n[place] = int(str(n[place])[::-1])
        lines.append([4, row, item, sum(int(value) for value in counts[item]), *n, *shares])
    heads = ["table", "row", "statement", "n_reported"]
    heads += [*(f"{code}_n" for code in CATEGORIES), *(f"{code}_pct" for code in CATEGORIES)]
    pd.DataFrame(lines, columns=heads).to_csv(folder / "tables.csv", index=False)
    (folder / "titles.csv").write_text("table,title,section\n4,Chores,1\n", encoding="utf-8")
    most = counts["make_bed"]
    share = 100 * most[6:7].sum() / most.sum()
    claims = [["p2", "most do", 4, 1, "R6+R7", "percent", f"{100 * most.loc[[6, 7]].sum() / most.sum():.0f}"]]
    claims.append(["p3", "few do not", 4, 1, "R6", "percent", f"{share + 20:.0f}"])
    names = ["page", "quote", "table", "row", "categories", "quantity", "printed"]
    pd.DataFrame(claims, columns=names).to_csv(folder / "claims.csv", index=False)


@pytest.fixture(scope="module")
def audited(whole_run: Callable[[str], Path]) -> Iterator[Path]:
    """The other study with a publication of its own, audited."""
    run_before = whole_run("everyday_life")
    folder = Path(shutil.copytree(run_before, run_before.with_name("publication"), symlinks=True))
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        printed = folder / "resources/printed"
        printed.mkdir()
        publish(printed)
        items = folder / "config/items.tsv"
        frame = pd.read_csv(items, sep="\t", dtype="str", keep_default_na=False)
        places = {item: str(row) for row, item in enumerate(ITEMS, start=1)}
        frame["published_table"] = ["4" if item in places else "" for item in frame["item"]]
        frame["published_row"] = [places.get(item, "") for item in frame["item"]]
        frame.to_csv(items, sep="\t", index=False)
        config = folder / "config/config.yaml"
        study = yaml.safe_load(config.read_text(encoding="utf-8"))
        study["published"] = {
            "wave": WAVE,
            "citation": "Somebody (1999). Chores.",
            "returns": 115,
            "tables": "resources/printed/tables.csv",
            "titles": "resources/printed/titles.csv",
            "categories": CATEGORIES,
            "claims": "resources/printed/claims.csv",
        }
        config.write_text(yaml.safe_dump(study, sort_keys=False, allow_unicode=True), encoding="utf-8")
        run = snakemake(folder, "results/audit/claims.parquet", "results/audit/published_tables.parquet")
        assert run.status == 0, run.said
        yield folder


def test_its_misprint_is_found_and_everything_else_agrees(audited: Path) -> None:
    cells = pd.read_parquet(audited / "results/audit/published_tables.parquet")
    assert len(cells) == len(ITEMS) * (2 * len(CATEGORIES) + 1)
    [wrong] = cells[cells["verdict"] != "agrees"].to_dict("records")
    assert (wrong["table"], wrong["row"], wrong["quantity"]) == ("4", str(ITEMS.index(SWAPPED) + 1), "count")
    assert wrong["verdict"] == "misprint"
    assert wrong["settled"] == wrong["recomputed"] == wrong["printed"][::-1]


def test_its_claims_are_recomputed_with_a_verdict(audited: Path) -> None:
    claims = pd.read_parquet(audited / "results/audit/claims.parquet")
    assert claims["verdict"].tolist() == ["agrees", "contradicted"]


def test_its_audit_stands_in_the_report(audited: Path) -> None:
    tables = {
        name: pd.read_parquet(audited / f"results/audit/{name}.parquet")
        for name in ("published_tables", "claims")
    }
    made = Material(tables, Presentation.of(load_study(Path("config"))))
    [text] = [part.text for part in sections(made) if part.name == "audit"]
    page = html.fromstring(pypandoc.convert_text(text, "html", MARKDOWN))
    said = " ".join(page.text_content().split())
    assert "The publication: Somebody (1999). Chores." in said
    assert "1 is a misprint" in said
    assert "1 is contradicted by the counts" in said
