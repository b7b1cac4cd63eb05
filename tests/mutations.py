"""Single changes to a study and its code: what a pin must notice, and where it must say that the cause lies.

`BY_HAND` lists changes whose cause is known; `in_code` makes one change in a module, chosen by chance, whose effect
nobody knows beforehand.
"""

from __future__ import annotations

import ast
import random
import re
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FIRST, SECOND = "config/waves/phase1_2006", "config/waves/phase2_2008"
WEB = "resources/raw/phase1_2006/surveymonkey_2006-10-02.csv"
PAPER = "resources/raw/phase1_2006/paper_returns.csv"
EXPORT = "resources/raw/phase2_2008/surveymonkey_2008-06-03.xlsx"
CONFIG = "config/config.yaml"
PACKAGE = "workflow/surveywaves"

Edit = Callable[[Path], Mapping[str, str] | None]
"""Changes what lies in a folder, and gives what must be set in the environment."""


@dataclass(frozen=True)
class Mutation:
    """One change."""

    name: str
    """What is done."""
    kind: str
    """What it is done to: raw, configuration, publication, code, package, words."""
    edit: Edit
    """Does it."""
    stage: str | None
    """The stage that gives other results because of it, `ingest(phase1_2006)`; None: nothing that is pinned moves; "?":
    that is to be found out; "stopped": the study does not run any more."""


def swap(path: str, old: str, new: str, *, count: int = 1, encoding: str = "utf-8") -> Edit:
    """Change a text in a file, the first time that it stands there."""

    def edit(folder: Path) -> None:
        file = folder / path
        text = file.read_bytes().decode(encoding)
        assert old in text, f"{path}: {old!r} does not stand there"
        file.write_bytes(text.replace(old, new, count).encode(encoding))

    return edit


def sub(path: str, pattern: str, new: str, *, encoding: str = "utf-8") -> Edit:
    """Change what a pattern finds first, line by line."""

    def edit(folder: Path) -> None:
        file = folder / path
        text, count = re.subn(pattern, new, file.read_bytes().decode(encoding), count=1, flags=re.M)
        assert count == 1, f"{path}: nothing like {pattern!r} stands there"
        file.write_bytes(text.encode(encoding))

    return edit


def exchange(path: str, column: str, first: str, second: str) -> Edit:
    """Exchange the cells of a column between the rows that begin with two names."""

    def edit(folder: Path) -> None:
        file = folder / path
        head, *rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]
        place = head.index(column)
        one, other = (next(row for row in rows if row[0] == name) for name in (first, second))
        one[place], other[place] = other[place], one[place]
        file.write_text("".join("\t".join(row) + "\n" for row in [head, *rows]), encoding="utf-8")

    return edit


def gone(path: str) -> Edit:
    """Remove a file."""

    def edit(folder: Path) -> None:
        (folder / path).unlink()

    return edit


def package(name: str, version: str, module: str = "", line: str = "") -> Edit:
    """Put another version of an installed package before it, with a line more in a module, or none."""

    def edit(folder: Path) -> Mapping[str, str]:
        site = Path(sysconfig.get_path("purelib"))
        overlay = folder / ".overlay"
        _link(site / name, overlay / name)
        if (site / f"{name}.libs").exists():
            (overlay / f"{name}.libs").symlink_to(site / f"{name}.libs")
        told = overlay / f"{name}-{version}.dist-info"
        told.mkdir()
        (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        if module:
            parts = module.split("/")
            for depth in range(1, len(parts)):
                own = overlay.joinpath(*parts[:depth])
                if own.is_symlink():
                    real = own.resolve()
                    own.unlink()
                    _link(real, own)
            file = overlay / module
            text = file.read_text(encoding="utf-8")
            file.unlink()
            file.write_text(f"{text}\n{line}\n", encoding="utf-8")
        return {"PYTHONPATH": str(overlay)}

    return edit


def _link(real: Path, own: Path) -> None:
    own.mkdir(parents=True)
    for part in real.iterdir():
        if part.name != "__pycache__":
            (own / part.name).symlink_to(part)


def _first_answer(old: str, new: str) -> Edit:
    """Change the first answer of the first real return of the web export."""
    return sub(WEB, rf"^(170\d+(?:,[^,\r\n]*){{8}}),{old},", rf"\1,{new},", encoding="cp1252")


def cell_of_workbook(path: str, respondent: int, question: str) -> Edit:
    """Change one person's answer to a question of a condensed export, 5 to 1 or else to 5."""

    def edit(folder: Path) -> None:
        import openpyxl  # noqa: PLC0415 - slow, and only some need it

        book = openpyxl.load_workbook(folder / path)
        sheet = book.worksheets[0]
        column = next(cell.column for cell in sheet[2] if str(cell.value).startswith(question))
        row = next(cell.row for cell in sheet["A"] if cell.value == respondent)
        cell = sheet.cell(row, column)
        assert cell.value is not None
        cell.value = 1 if str(cell.value) == "5" else 5
        book.save(folder / path)

    return edit


BY_HAND: Final = (
    Mutation("one answer of a web return", "raw", _first_answer("Agree", "Disagree"), "ingest(phase1_2006)"),
    Mutation(
        "one answer of the second wave's export",
        "raw",
        cell_of_workbook(EXPORT, 170040875, "I can trust the people"),
        "ingest(phase2_2008)",
    ),
    Mutation(
        "one answer in both keyings of a paper return",
        "raw",
        sub(PAPER, r"^1,A,1,4,(.*)\n1,B,2,4,", r"1,A,1,2,\1\n1,B,2,2,"),
        "ingest(phase1_2006)",
    ),
    Mutation(
        "one return struck out",
        "raw",
        sub(WEB, r"^170024328,.*\n", "", encoding="cp1252"),
        "ingest(phase1_2006)",
    ),
    Mutation("a raw file gone", "raw", gone(PAPER), "stopped"),
    Mutation("a respondent's number", "raw", sub(WEB, "^170024328,", "170024329,", encoding="cp1252"), None),
    Mutation(
        "two columns of a crosswalk exchanged",
        "configuration",
        exchange(f"{SECOND}/items.tsv", "web", "colleagues_1", "line_manager_2"),
        "harmonise(phase2_2008)",
    ),
    Mutation(
        "an item of a wave asked in other words",
        "words",
        sub(f"{SECOND}/items.tsv", r"^(colleagues_2\t.*)\tidentical\t\t", r"\1\treworded\tOther words\t"),
        "figures",
    ),
    Mutation(
        "a response coded otherwise",
        "configuration",
        sub(f"{SECOND}/wave.yaml", r"^      '4': 4\n      '5': 5", "      '4': 5\n      '5': 4"),
        "harmonise(phase2_2008)",
    ),
    Mutation(
        "organisations exchanged",
        "configuration",
        sub(
            f"{SECOND}/wave.yaml",
            r"^    '1': nhs\n    '2': social_work",
            "    '1': social_work\n    '2': nhs",
        ),
        "harmonise(phase2_2008)",
    ),
    Mutation(
        "a profession mapped to another",
        "configuration",
        sub(f"{SECOND}/wave.yaml", "'2': social_care_worker", "'2': social_worker"),
        "harmonise(phase2_2008)",
    ),
    Mutation(
        "how duplicates are resolved",
        "configuration",
        swap(f"{FIRST}/wave.yaml", "duplicates: most_answered", "duplicates: last"),
        "ingest(phase1_2006)",  # three stand twice
    ),
    Mutation(
        "how many could have answered",
        "configuration",
        swap(f"{FIRST}/wave.yaml", "size: 1250", "size: 1260"),
        "describe",
    ),
    Mutation("the seed", "configuration", sub(CONFIG, r"^seed: \d+", "seed: 7"), "measure"),
    Mutation(
        "the disclosure threshold", "configuration", swap(CONFIG, "threshold: 5", "threshold: 8"), "release"
    ),
    Mutation(
        "the confidence level",
        "configuration",
        swap(CONFIG, "confidence: 0.95", "confidence: 0.9"),
        "describe",
    ),
    Mutation(
        "the adjustment for many tests",
        "configuration",
        swap(CONFIG, "multiplicity: holm", "multiplicity: none"),
        "compare",
    ),
    Mutation(
        "the adjustment across items",
        "configuration",
        swap(CONFIG, "item_multiplicity: fdr_bh", "item_multiplicity: holm"),
        "compare",
    ),
    Mutation(
        "the smallest effect of interest",
        "configuration",
        swap(CONFIG, "standardised: 0.2", "standardised: 0.3"),
        "compare",
    ),
    Mutation(
        "a covariate", "configuration", swap(CONFIG, "covariates: []", "covariates: [profession]"), "compare"
    ),
    Mutation(
        "the smallest cell that is estimated",
        "configuration",
        swap(CONFIG, "min_cell: 5", "min_cell: 150"),
        "measure",
    ),
    Mutation(
        "the number of imputations",
        "configuration",
        swap(CONFIG, "adjust_for: [profession]", "adjust_for: [profession]\n    imputations: 21"),
        "sensitivity",
    ),
    Mutation(
        "a variant of the sensitivity analysis dropped",
        "configuration",
        swap(CONFIG, "adjust_for: [profession]", "adjust_for: []"),
        "sensitivity",
    ),
    Mutation("the returns planned for", "configuration", swap(CONFIG, "[200, 400]", "[200, 300]"), "plan"),
    Mutation(
        "which answers are favourable",
        "configuration",
        swap(CONFIG, "favourable: [4, 5]", "favourable: [5]"),
        "describe",
    ),
    Mutation(
        "an item keyed the other way",
        "configuration",
        sub("config/items.tsv", r"^(colleagues_1\t.*)\t\+\t", r"\1\t-\t"),
        "measure",
    ),
    Mutation(
        "an item moved to another scale",
        "configuration",
        sub("config/items.tsv", r"^(colleagues_6\t.*)\tcolleagues\t", r"\1\tline_manager\t"),
        "measure",
    ),
    Mutation(
        "a section dropped into another",
        "configuration",
        sub("config/items.tsv", r"^(colleagues_6\t.*\t)1(\tcolleagues\t)", r"\g<1>2\2"),
        "describe",
    ),
    Mutation(
        "items that a scale's score needs",
        "configuration",
        sub("config/scales.tsv", r"^(colleagues\t.*)\t3$", r"\1\t6"),
        "sensitivity",
    ),
    Mutation(
        "a printed count",
        "publication",
        sub("resources/published/likert_tables.csv", r"^(9,1,.*?),(\d+),(\d+),", r"\1,\3,\2,"),
        "settle",
    ),
    Mutation(
        "a claim's number",
        "publication",
        sub("resources/published/claims.csv", r"^(.*),(\d+(?:\.\d+)?)$", r"\1,12.5"),
        "audit",
    ),
    Mutation(
        "an item in other words", "words", sub("config/items.tsv", "get on with", "go on with"), "figures"
    ),
    Mutation("a colour", "words", swap(CONFIG, "#a6611a", "#a6611b"), "figures"),
    Mutation(
        "a comment in the configuration", "words", swap(CONFIG, "# across scales", "# over scales"), None
    ),
    Mutation(
        "a comment in the crosswalk's note",
        "words",
        sub(f"{SECOND}/items.tsv", r"^(colleagues_1\t.*\t)$", r"\1as before"),
        None,
    ),
    Mutation("the publication's citation", "words", swap(CONFIG, "Final Report", "Last Report"), "figures"),
    Mutation(
        "the report's style sheet", "words", swap("workflow/report/report.css", "{", "{ /* */", count=1), None
    ),
    Mutation("the README", "words", swap("README.md", "pipeline", "workflow"), None),
    Mutation(
        "a comment in a statistic",
        "words",
        swap(f"{PACKAGE}/mixed/lmm.py", "\n\n\n", "\n\n\n# A comment.\n"),
        None,
    ),
    Mutation(
        "another order of the imports",
        "words",
        swap(f"{PACKAGE}/reliability/alpha.py", "import numpy", "import math  # noqa\nimport numpy"),
        None,
    ),
    Mutation("a package that computes the same", "package", package("scipy", "99.1"), None),
    Mutation(
        "a package that computes otherwise",
        "package",
        package(
            "scipy",
            "99.2",
            "scipy/special/__init__.py",
            "_before = fdtri\ndef fdtri(*a): return _before(*a) * 1.0001",
        ),
        "measure",
    ),
    Mutation(
        "a package that reads otherwise",
        "package",
        package(
            "openpyxl",
            "99.3",
            "openpyxl/worksheet/_reader.py",
            "_of = WorkSheetParser.parse_cell\ndef _as(c): return {**c, 'value': 5} if c['value'] == 4 else c\n"
            "WorkSheetParser.parse_cell = lambda self, element: _as(_of(self, element))",
        ),
        "ingest(phase2_2008)",
    ),
)


# --- one line of a module ---------------------------------------------------------------------------------------


def in_code(module: str, seed: int) -> Mutation:
    """Change one number, operator or comparison in a function of a module, chosen by chance.

    Raises
    ------
    LookupError
        If the module has none.
    """
    source = (Path(__file__).parent.parent / module).read_text(encoding="utf-8")
    lines = source.splitlines(keepends=True)
    places = sorted(
        (row, start, end, new)
        for row, start, end, new in _places(ast.parse(source))
        if not set("()") & set(lines[row].encode()[start:end].decode())  # a bracket belongs to an operand
    )
    if not places:
        raise LookupError(f"{module} has nothing to change")
    row, start, end, new = random.Random(f"{module} {seed}").choice(places)
    line = lines[row].encode()
    changed = line[:start] + new.encode() + line[end:]
    old = line[start:end].decode().strip()

    def edit(folder: Path) -> None:
        own = [*lines]
        own[row] = changed.decode()
        (folder / module).write_text("".join(own), encoding="utf-8")

    name = f"{module.removeprefix(f'{PACKAGE}/')}:{row + 1}: {old} -> {new.strip()}"
    return Mutation(name, "code", edit, "?")


OTHERWISE: Final = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
}


def _places(tree: ast.Module) -> Iterator[tuple[int, int, int, str]]:
    """Find what can be changed: row from 0, first and last byte in it, and what would stand there."""
    found = set()
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for statement in function.body:
                for node in ast.walk(statement):
                    found.update(_of(node))
    yield from found


def _of(node: ast.AST) -> Iterator[tuple[int, int, int, str]]:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.end_lineno == node.lineno:
        yield node.lineno - 1, node.col_offset, node.end_col_offset or 0, repr(node.value + 1)
    pairs = []
    if isinstance(node, ast.BinOp):
        pairs = [(node.left, node.op, node.right)]
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        pairs = [(node.left, node.ops[0], node.comparators[0])]
    for left, operator, right in pairs:
        if type(operator) in OTHERWISE and left.end_lineno == right.lineno:
            # What stands between two operands is the operator, where no bracket does.
            yield (
                right.lineno - 1,
                left.end_col_offset or 0,
                right.col_offset,
                f" {OTHERWISE[type(operator)][1]} ",
            )
