"""What runs again after an edit or a fault: every job that it concerns, and no other.

The table holds edits of the study, of raw files, of the code and of its packages, and what may happen to files. Each is
tried on a copy of one finished study, which lies in its clone as a team's does.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runs import Run, snakemake
from surveywaves.pin.cause import Asked
from surveywaves.study.load import OPTIONS

pytestmark = pytest.mark.slow

READS = {
    "harmonise": {"ingest"},
    "pool": {"harmonise"},
    "describe": {"pool"},
    "measure": {"pool"},
    "invariance": {"pool"},
    "plan": {"pool"},
    "compare": {"pool", "measure"},
    "sensitivity": {"pool", "invariance"},
    "crosscheck": {"pool", "measure", "compare"},
    "audit": {"settle", "describe"},
    "codebook": {"ingest"},
    "export": {"pool", "codebook"},
    "release": {
        *("ingest", "harmonise", "pool", "describe", "measure", "invariance", "compare"),
        *("crosscheck", "sensitivity", "plan", "audit"),
    },
    "checklist": {"release"},
    "figures": {"release"},
    "tables": {"release", "codebook"},
    "report": {"release", "figures", "codebook"},
}
"""Rule -> rules whose results it reads."""

ALL = {*READS, "ingest", "settle", "codebook", "configuration"}

Edit = Callable[[Path], None]
NAMES = "config/config.yaml"
SECOND = "config/waves/phase2_2008"
RAW = "resources/raw/phase1_2006/paper_returns.csv"


def and_what_follows(*rules: str) -> set[str]:
    found = set(rules)
    while more := {rule for rule, read in READS.items() if rule not in found and read & found}:
        found |= more
    return found


# --- edits --------------------------------------------------------------------------------------------------------


def text(name: str, pattern: str, new: str) -> Edit:
    """Replace a pattern in a file, once, and leave the file the age it had."""

    def edit(folder: Path) -> None:
        path = folder / name
        changed, count = re.subn(pattern, new, path.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE)
        assert count == 1, f"{pattern!r} is not in {name}"
        rewrite(path, changed.encode())

    return edit


def rewrite(path: Path, content: bytes) -> None:
    """Write other content with the time stamp of the old, as `cp -p` and `rsync -t` may."""
    assert content != path.read_bytes()
    known = path.stat()
    path.unlink()
    path.write_bytes(content)
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))


def after(name: str, more: str) -> Edit:
    """Put text at the end of a file."""
    return lambda folder: rewrite(folder / name, (folder / name).read_bytes() + more.encode())


def code(module: str, more: str = "ANOTHER = 1\n") -> Edit:
    return after(f"workflow/surveywaves/{module}.py", f"\n\n{more}")


def every_module(folder: Path) -> None:
    for path in (folder / "workflow").rglob("*.py"):
        rewrite(path, path.read_bytes() + b"\n\n# A comment.\n")


def docstring(folder: Path) -> None:
    text("workflow/surveywaves/mixed/lmm.py", r'\A"""', '"""In other words: ')(folder)


def all_touched(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            path.touch()


def all_old(folder: Path) -> None:
    for number, path in enumerate(sorted(folder.rglob("*"))):
        os.utime(path, (10**9 - 1000 * number, 10**9 - 1000 * number))


def removed(*names: str) -> Edit:
    def edit(folder: Path) -> None:
        for name in names:
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return edit


def damaged(folder: Path) -> None:
    for path in (folder / ".snakemake").rglob("*"):
        if path.is_file():
            rewrite(path, b"{")


def both(*edits: Edit) -> Edit:
    def edit(folder: Path) -> None:
        for one in edits:
            one(folder)

    return edit


def cut_short(name: str) -> Edit:
    return lambda folder: rewrite(folder / name, (folder / name).read_bytes()[:100])


def exchanged(first: str, second: str) -> Edit:
    def edit(folder: Path) -> None:
        contents = [(folder / name).read_bytes() for name in (second, first)]
        for name, content in zip((first, second), contents, strict=True):
            rewrite(folder / name, content)

    return edit


def rows_backwards(name: str) -> Edit:
    def edit(folder: Path) -> None:
        first, *rows = (folder / name).read_text(encoding="utf-8").splitlines()
        rewrite(folder / name, "\n".join([first, *reversed(rows), ""]).encode())

    return edit


def renamed_raw(folder: Path) -> None:
    (folder / RAW).rename((folder / RAW).with_name("paper.csv"))
    text("config/waves/phase1_2006/wave.yaml", "paper_returns.csv", "paper.csv")(folder)


def nothing(folder: Path) -> None: ...


SHOWN = {"figures", "tables", "report", "configuration"}
WORDED = {*SHOWN, "codebook", "export"}

EDITS: dict[str, tuple[Edit, set[str]]] = {
    "nothing": (nothing, set()),
    # --- time stamps, and what Snakemake remembers
    "every file touched": (all_touched, set()),
    "every file old, in no order": (all_old, set()),
    "memory lost and every file touched": (both(removed(".snakemake"), all_touched), set()),
    "Snakemake's memory damaged": (damaged, set()),
    # --- what no result depends on
    "comments, docstrings, imports for type checkers": (
        both(
            every_module,
            docstring,
            code("describe", "if TYPE_CHECKING:\n    from surveywaves import pin\n"),
            after("workflow/rules/compare.smk", "# A comment.\n"),
        ),
        set(),
    ),
    "layout and order of the configuration, and files that no rule reads": (
        both(
            after(NAMES, "# A comment.\n"),
            text(NAMES, "^title: (.*)$", r'title: "\1"'),
            text(NAMES, "^  covariates: \\[\\]\n  min_cell: 5\n", "  min_cell: 5\n  covariates: []\n"),
            rows_backwards(f"{SECOND}/items.tsv"),
            after("README.md", "more\n"),
            after("requirements.lock", "    # via nothing\n"),
            text("requirements.lock", r"^ruff==\S+", "ruff==0.0.1"),
            code("pin/crate"),
            removed("results/logs/pool.benchmark.tsv"),
            lambda folder: (folder / "results/pooled/mine.csv").touch(),
        ),
        set(),
    ),
    "keys of a map and of a coding, ignored columns": (
        both(
            text(
                f"{SECOND}/wave.yaml",
                "^    '1': nhs\n    '2': social_work\n",
                "    '2': social_work\n    '1': nhs\n",
            ),
            text(
                f"{SECOND}/wave.yaml",
                "^    - Start Date\n    - End Date\n",
                "    - End Date\n    - Start Date\n",
            ),
            text(f"{SECOND}/wave.yaml", "^      '1': 1\n      '2': 2\n", "      '2': 2\n      '1': 1\n"),
        ),
        {"configuration"},
    ),
    # --- words
    "the title": (text(NAMES, "^title: .*", "title: Other"), WORDED),
    "an item's wording": (text("config/items.tsv", "^colleagues_1\tIf", "colleagues_1\tWhen"), WORDED),
    "a wave's own words": (
        both(
            text(f"{SECOND}/wave.yaml", "^title: .*", "title: Second"),
            text(f"{SECOND}/wave.yaml", "have not arrived", "are awaited"),
            text(f"{SECOND}/items.tsv", "^(colleagues_1\t.*\t\tidentical\t)\t", r"\1Other words\t"),
        ),
        WORDED,
    ),
    "titles of a scale and a section": (
        both(
            text("config/scales.tsv", "Trust in your colleagues", "Colleagues"),
            text(NAMES, "Views of the", "About the"),
        ),
        WORDED,
    ),
    "an organisation's label": (
        text(NAMES, "^  nhs: NHS", "  nhs: Health"),
        and_what_follows("audit", "codebook", "configuration"),
    ),
    "a level's label": (text(NAMES, "Daily role", "Role"), and_what_follows("sensitivity") | WORDED),
    "an event": (text("config/events.tsv", "Move to new", "Move to the new"), SHOWN),
    "the limitations": (after("config/report/limitations.md", "\n- One more.\n"), {"report"}),
    "a colour": (text(NAMES, "#a6611a", "#a6611b"), {"figures", "report", "configuration"}),
    # --- choices
    "the seed": (
        text(NAMES, "^seed: .*", "seed: 7"),
        and_what_follows("measure", "sensitivity", "configuration"),
    ),
    "the smallest effect": (
        text(NAMES, "standardised: 0.2", "standardised: 0.25"),
        and_what_follows("compare", "plan", "sensitivity") | SHOWN,
    ),
    "min_cell and functioning.min_n exchanged": (
        text(NAMES, "^  min_cell: 5", "  min_cell: 20\n  functioning: {min_n: 5}"),
        and_what_follows("measure", "invariance", "compare", "plan", "sensitivity") | SHOWN,
    ),
    "a covariate": (
        text(NAMES, r"covariates: \[\]", "covariates: [mode]"),
        and_what_follows("compare", "plan", "sensitivity") | SHOWN,
    ),
    "a variant": (
        text(NAMES, r"adjust_for: \[profession\]", "adjust_for: [mode]"),
        and_what_follows("sensitivity") | SHOWN,
    ),
    "the plan": (text(NAMES, r"returns: \[200", "returns: [150"), and_what_follows("plan") | SHOWN),
    "no plan": (
        text(NAMES, "^  planning:\n(    .*\n)+", ""),
        {"release", "checklist", *SHOWN},
    ),
    "the threshold": (text(NAMES, "threshold: 5", "threshold: 10"), {"release", "checklist", *SHOWN}),
    "the threshold, with Snakemake's memory lost": (
        both(removed(".snakemake"), text(NAMES, "threshold: 5", "threshold: 10")),
        {"release", "checklist", *SHOWN},
    ),
    "rounding": (
        text(NAMES, "threshold: 5", "threshold: 5\n  rounding: 10"),
        {"release", "checklist", *SHOWN},
    ),
    "an item's key": (
        text("config/items.tsv", r"^(colleagues_1\t.*)\t\+\t", r"\1\t-\t"),
        and_what_follows("describe", "measure", "invariance", "compare", "plan", "sensitivity") | WORDED,
    ),
    "favourable answers": (
        text(NAMES, r"favourable: \[4, 5\]", "favourable: [5]"),
        and_what_follows("describe", "compare", "sensitivity") | WORDED,
    ),
    "a smallest number of items": (
        text("config/scales.tsv", "^(colleagues\t.*\t)3$", r"\g<1>4"),
        and_what_follows("sensitivity") | WORDED,
    ),
    "a population": (
        text(f"{SECOND}/wave.yaml", "^population:\n", "population:\n  size: 1300\n"),
        and_what_follows("describe", "plan", "sensitivity") | WORDED,
    ),
    # --- a wave
    "a coding": (
        text(f"{SECOND}/wave.yaml", "^      '5': 5\n", "      '5': 5\n      '9': dont_know\n"),
        and_what_follows("harmonise") | WORDED,
    ),
    "a map": (
        text(f"{SECOND}/wave.yaml", "^    '2': social_work\n", "    '2': social_work\n    '3': nhs\n"),
        and_what_follows("harmonise") | WORDED,
    ),
    "which return of two": (
        text(f"{SECOND}/wave.yaml", "duplicates: most_answered", "duplicates: first"),
        and_what_follows("ingest", "configuration"),
    ),
    # --- what is given
    "a raw cell, with the old time stamp": (text(RAW, "4", "5"), and_what_follows("ingest")),
    "a blank line at the end of a raw file": (after(RAW, "\n"), and_what_follows("ingest")),
    "a raw file of another name": (renamed_raw, and_what_follows("ingest", "configuration")),
    "printed tables and decisions": (
        both(
            after("resources/published/employer.csv", "\n"),
            after("resources/published/decisions.tsv", "\n"),
        ),
        and_what_follows("settle"),
    ),
    "the claims": (after("resources/published/claims.csv", "\n"), and_what_follows("audit")),
    "the printed titles": (after("resources/published/table_titles.csv", "\n"), {"tables", "report"}),
    # --- the program
    "a constant in errors.py": (code("errors"), ALL),
    "a constant in reliability": (
        code("reliability/alpha"),
        and_what_follows("measure", "invariance"),
    ),
    "a constant in a reader": (code("ingest/statfile"), and_what_follows("ingest")),
    "a constant of the exports": (code("exports/stata"), {"export"}),
    "a constant of the figures": (code("figures/likert"), {"figures", "report"}),
    "a script": (after("workflow/scripts/pool.py", "\nANOTHER = 1\n"), and_what_follows("pool")),
    "a module that cannot be parsed": (code("pool", "def\n"), and_what_follows("pool", "codebook")),
    "a template of the report": (after("workflow/report/report.css", "\n"), {"report"}),
    "another package in the lock": (
        text("requirements.lock", r"^typst==\S+", "typst==0.0.1"),
        {"figures", "report"},
    ),
    "inputs under each other's names": (
        text(
            "workflow/rules/audit.smk",
            r'item_frequencies="(.*)",\n( *)respondents="(.*)",',
            r'item_frequencies="\3",\n\2respondents="\1",',
        ),
        and_what_follows("audit"),
    ),
    # --- results
    "a result gone": (removed("results/pooled/responses.parquet"), and_what_follows("pool")),
    "a result empty": (
        lambda folder: rewrite(folder / "results/statistics/means.parquet", b""),
        and_what_follows("compare"),
    ),
    "a result cut short": (
        cut_short("results/released/means.csv"),
        and_what_follows("release"),
    ),
    "two results exchanged": (
        exchanged("results/statistics/means.parquet", "results/statistics/contrasts.parquet"),
        and_what_follows("compare"),
    ),
    "a result edited by hand": (
        after("results/released/means.csv", "one more row\n"),
        and_what_follows("release"),
    ),
    "a folder with a file less": (removed("results/tables/index.html"), {"tables"}),
    "a folder with a file more": (lambda folder: (folder / "results/tables/mine.csv").touch(), {"tables"}),
    "all results gone": (removed("results"), ALL),
    "all records gone": (removed("results/logs"), ALL),
    "records cut short, with a list in place of a map, and of a job that failed": (
        both(
            cut_short("results/logs/codebook.log"),
            text("results/logs/export.log", r'^ "outputs": \{\n(  .*\n)+ \}', ' "outputs": [0]'),
            lambda folder: rewrite(folder / "results/logs/audit.log", b"config.yaml: is wrong\n"),
        ),
        and_what_follows("codebook", "export", "audit"),
    ),
}


@pytest.fixture(scope="module")
def finished_clone(whole_run: Callable[[str], Path]) -> Path:
    """A clone of the workflow with the small study in it, run to its end."""
    return whole_run("small_clone")


@pytest.fixture
def clone(finished_clone: Path) -> Iterator[Path]:
    # Links: `rewrite` puts another file in the place of one.
    folder = shutil.copytree(finished_clone, finished_clone.with_name("edited"), copy_function=os.link)
    yield folder
    shutil.rmtree(folder)


def dry_run(folder: Path, *arguments: str) -> Run:
    """Dry-run the workflow that lies in a folder on the study there."""
    return snakemake(folder, "--dry-run", *arguments, code=folder)


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_reruns_every_job_that_it_concerns_and_no_other(clone: Path, edit: str) -> None:
    change, expected = EDITS[edit]
    change(clone)
    run = dry_run(clone)
    assert run.status == 0 and "rror in" not in run.said, run.said
    assert set(run.jobs) == expected, run.said
    if not expected:
        assert "Nothing to be done" in run.said


@pytest.mark.parametrize(
    ("edit", "options", "said"),
    [
        (nothing, ["--config", "threshold=10"], "--config: unknown key `threshold`"),
        (nothing, ["--config", "pinn=one"], r"--config: unknown key `pinn` \(hint: did you mean `pin`"),
        (removed("resources/published/claims.csv"), [], "resources/published/claims.csv: no such file"),
        (
            text(f"{SECOND}/wave.yaml", "surveymonkey_2008", "survey{monkey}_2008"),
            [],
            "a file's name may not hold",
        ),
    ],
)
def test_what_would_be_passed_over_is_refused_in_a_line(
    clone: Path, edit: Edit, options: list[str], said: str
) -> None:
    edit(clone)
    run = dry_run(clone, *options)
    assert len([line for line in run.said.splitlines() if re.search(said, line)]) == 1, run.said
    assert "Traceback" not in run.said and not run.jobs


def test_every_option_of_a_pin_is_known() -> None:
    assert {"study", "pin", *Asked.model_fields} - {"label"} == set(OPTIONS)


def test_only_what_is_asked_for_runs_again(clone: Path) -> None:
    both(text(NAMES, "^seed: .*", "seed: 7"), after(RAW, "\n"))(clone)
    assert set(dry_run(clone, "results/harmonised/phase2_2008.parquet").jobs) == set()
    for name in ("results/harmonised/phase1_2006.parquet", "./results//harmonised/phase1_2006.parquet"):
        assert set(dry_run(clone, name).jobs) == {"ingest", "harmonise"}
    assert set(dry_run(clone, "--until", "pool").jobs) == {"ingest", "harmonise", "pool"}


def test_what_is_forced_reruns_what_is_made_of_it(clone: Path) -> None:
    for name in ("codebook", "results/pooled/codebook.tsv", "./results/pooled/codebook.tsv"):
        assert set(dry_run(clone, "--forcerun", name).jobs) == and_what_follows("codebook")


def test_a_dry_run_changes_nothing(clone: Path) -> None:
    def files() -> dict[str, bytes]:
        kept = (path for part in ("config", "resources", "results") for path in (clone / part).rglob("*"))
        return {str(path): path.read_bytes() for path in kept if path.is_file()}

    before = files()
    removed("results/pooled/responses.parquet")(clone)
    dry_run(clone)
    del before[str(clone / "results/pooled/responses.parquet")]
    assert files() == before


def test_a_run_that_failed_is_taken_up_where_it_failed(clone: Path) -> None:
    """Snakemake alone says of such a run: nothing to be done."""
    label = text(f"{SECOND}/wave.yaml", "^      '5': 5\n", "")
    label(clone)
    failed = snakemake(clone, code=clone)
    assert failed.status != 0 and "unknown label" in failed.said
    assert {"harmonise", "pool", "report"} <= set(dry_run(clone).jobs)
    shutil.rmtree(clone / ".snakemake")
    assert {"harmonise", "pool", "report"} <= set(dry_run(clone).jobs)


def test_touching_results_does_not_make_them_fresh(clone: Path) -> None:
    text(NAMES, "threshold: 5", "threshold: 10")(clone)
    assert snakemake(clone, "--touch", code=clone).status == 0
    assert set(dry_run(clone).jobs) == {"release", "checklist", *SHOWN}


def test_a_run_makes_everything_fresh_again(clone: Path) -> None:
    after("resources/published/table_titles.csv", "\n")(clone)
    text("config/scales.tsv", "Trust in your colleagues", "Colleagues")(clone)
    run = snakemake(clone, code=clone)
    assert run.status == 0, run.said
    assert "codebook runs again: settings changed: presentation" in run.said
    assert "Nothing to be done" in dry_run(clone).said
