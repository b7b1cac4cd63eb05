"""The `surveywaves` command: what a person does around a run of the workflow.

A command is a function of its options that gives the exit status; its docstring is its help. It imports what it needs
itself: pandas and the readers take a second, which help and the other commands need not wait for.
"""

from __future__ import annotations

import argparse
import inspect
import io
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, get_args

from surveywaves import script
from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.files import write_text
from surveywaves.freshness import HOME
from surveywaves.study import Layout, Study, Wave, load_study
from surveywaves.study.document import documents
from surveywaves.study.load import mistakes_of_wave
from surveywaves.study.parts import HarmonisingPart, ReadingPart
from surveywaves.text import count

BIG: Final = 20_000_000
"""Bytes from which a file is worth a word on the screen, whoever looks at it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0 when all is well, 1 when the user has something to mend."""
    options = _parser().parse_args(arguments)
    # A terminal of Windows may have no code for a letter of a title.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = int(options.run(options))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (SurveywavesError, OSError, MemoryError) as error:
        if (mistakes := script.mistakes_in(error, f"surveywaves {options.command}")) is None:
            raise
        if (
            isinstance(error, OSError) and error.filename is None
        ):  # what is left of the output has no room either
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(*mistakes, sep="\n", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="surveywaves", description="Work on a study that the workflow runs."
    )
    parser.add_argument(
        "--config", type=Path, default=Path("config"), help="folder with config.yaml (default: config)"
    )
    commands = parser.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")

    def command(run: Callable[[argparse.Namespace], int]) -> Callable[..., argparse.Action]:
        about, example, use = (inspect.getdoc(run) or "").partition("\n\nexample:")
        summary, _, more = about.partition("\n\n")
        added = commands.add_parser(
            run.__name__.strip("_").replace("_", "-"),
            help=summary[0].lower() + summary[1:].rstrip("."),
            description=more or summary,
            epilog=example.strip() + use,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(run=run)
        return added.add_argument

    argument = command(_new)
    argument("folder", type=Path, metavar="STUDY", help="folder to make")
    argument(
        "file", type=Path, nargs="?", metavar="FILE", help="first raw file: the study is drafted from it"
    )
    argument("--organisation", default="", metavar="COLUMN", help="of FILE (default: all are in one)")
    shown = 'response options, lowest first: "Disagree; Neither; Agree" (default: labels of FILE; may stand again)'
    argument("--options", action="append", default=[], metavar="LABELS", help=shown)

    command(_check)

    argument = command(_add_wave)
    argument("files", type=Path, nargs="+", metavar="FILE", help="raw files of the wave, of any formats")
    argument("--wave", required=True, help="name of the new wave: its folder under config/waves/")
    argument("--like", help="wave to hold it against and model it on (default: the last one)")
    argument(
        "--format", choices=get_args(Layout.model_fields["format"].annotation), help="(default: recognised)"
    )
    argument("--encoding", help="encoding of text files, as in cp1252 (default: recognised)")
    argument("--sheet", help="worksheet of an Excel workbook (default: the only one with content)")
    argument("--header-rows", type=int, choices=(1, 2, 3), help="of a SurveyMonkey export (default: found)")
    argument(
        "--questions", type=Path, metavar="LIST", help="CSV or TSV of what each column asks: column, wording"
    )
    meanings = "CSV or TSV of what codes mean: column (`Q4_*`: all that begin so), code, label"
    argument("--codebook", type=Path, metavar="LIST", help=meanings)
    argument(
        "--enlist", action="store_true", help="put the wave at the end of `waves:` in config.yaml as well"
    )

    argument = command(_diff)
    argument("first", metavar="PIN", help="label of a pin")
    argument("second", metavar="PIN|current", help="label of another, or `current`")
    argument("--output", type=Path, metavar="FILE", help="write the table there, CSV or TSV by its ending")

    argument = command(_archive)
    argument("pin", metavar="PIN", help="label of a pin")
    argument("--output", type=Path, metavar="FILE", help="where to (default: results/pins/PIN.zip)")

    argument = command(_trace)
    argument("what", nargs="+", metavar="WHAT", help="what to trace, then column=value to choose rows")
    argument("--directory", type=Path, default=Path(), help="folder that snakemake ran in (default: here)")
    argument("--pin", metavar="LABEL", help="look in a pin, not in the results of the run")
    argument("--all", action="store_true", help="list every row, file of code and setting")
    before = "give the rows before their release as well: for the team that holds the data only"
    argument("--unreleased", action="store_true", help=before)
    argument("--json", action="store_true", help="write JSON, with everything in it")

    argument = command(_ledger)
    argument("action", nargs="?", choices=("list", "add", "sign"), default="list", help="(default: list)")
    argument("label", nargs="?", metavar="LABEL", help="what the release is called")
    argument("--by", default="", metavar="NAME", help="who signs")
    argument("--reason", default="", metavar="TEXT", help="why both releases may be out")

    argument = command(_confidential)
    argument("files", type=Path, nargs="*", metavar="FILE", help="files (default: what is staged)")

    command(_document)
    return parser


@dataclass(slots=True)
class _Progress:
    """Says what is being read, to a person who waits: on a terminal, or where it takes a while."""

    started: float = field(default_factory=time.monotonic)

    def __call__(self, name: str) -> None:
        """Print which file is being read."""
        try:
            size = Path(name).stat().st_size
        except OSError:
            return
        if size >= BIG or sys.stderr.isatty():
            passed = time.monotonic() - self.started
            print(f"[{passed:3.0f} s] reading {name} ({size / 1e6:.1f} MB)", file=sys.stderr)


def _new(options: argparse.Namespace) -> int:
    """Make a folder for a study of your own.

    Make a folder with a configuration to fill in, a place for raw files that git ignores, and a hook that refuses to
    commit answers of people. `surveywaves check`, run in it, lists what is still to fill in. From a file with labels
    (SPSS, Stata), or with response options that you name, statements, scales, groups and the first wave are drafted.

    example:
      surveywaves new my_study survey_2006.sav --organisation Q1
      cd my_study
      surveywaves check
    """
    from surveywaves.adding import first  # noqa: PLC0415

    if options.file is None:
        said = first.new_study(options.folder)
        next_ = f"put the raw files into {options.folder}/resources/raw/first/, fill in"
    else:
        known = {"organisation": options.organisation, "options": options.options}
        said = first.first_study(options.folder, options.file, **known, reading=_Progress())
        next_ = f"decide, in {options.folder}/config/,"
    print("\n".join(said))
    print(
        f"Next: {next_} what `surveywaves check` lists there, then `snakemake --snakefile {HOME}/Snakefile`."
    )
    return 0


def _check(options: argparse.Namespace) -> int:
    """Check configuration, raw files and crosswalks, and report every mistake.

    Read config/ and everything it names, open every raw file, find every column that a crosswalk names and look up
    every cell in its coding; report every mistake, one line each. Nothing is run and nothing is written.

    example:
      surveywaves check
        config/waves/second/items.tsv, row 16, column comparability: still to decide (hint: reworded (91: ...), or ...)

      Mend the files until it says `ok`; then run snakemake.
    """
    study = load_study(options.config)
    study.require_raw_files()
    progress = _Progress()
    mistakes: list[Mistake] = []
    lines = []
    for wave in study.waves:
        try:
            found = _try(study, wave, progress)
        except SurveywavesError as error:
            mistakes.extend(error.mistakes)
            continue
        asked = f"{sum(bool(row.columns) for row in wave.crosswalk)} of {len(study.items)} items"
        lines.append(f"{wave.name}: {wave.file.title}, {wave.file.evidence}, {asked}; {found}")
    if mistakes:
        raise SurveywavesError(mistakes)
    from surveywaves.harmonise import rescaled_scales  # noqa: PLC0415

    rescaled_scales([HarmonisingPart.of(study, wave) for wave in study.waves])
    print("\n".join(lines))
    described = {path.parent.name for path in options.config.glob("waves/*/wave.yaml")}
    for name in sorted(described - {wave.name for wave in study.waves}):
        print(
            f"not part of the study: {options.config}/waves/{name}, which `waves:` in config.yaml does not list"
        )
    print(f"ok: {len(study.waves)} waves, {len(study.items)} items, {len(study.scales)} scales")
    return 0


def _try(study: Study, wave: Wave, progress: _Progress) -> str:
    """Read a wave's raw files and look up every cell, as a run would; nothing is kept."""
    from surveywaves.harmonise import NOT_ASKED_OF, harmonise_checked  # noqa: PLC0415
    from surveywaves.ingest import ingest  # noqa: PLC0415

    for file in wave.file.files:
        progress(file.path)
    found = ingest(ReadingPart.of(wave), root=Path())
    harmonised = harmonise_checked(study, wave, found.cells, found.value_labels)
    kept, aside = (int(found.counts[name].sum()) for name in ("rows_kept", "rows_set_aside"))
    away = int((harmonised.problems["problem"] == NOT_ASKED_OF).sum())
    routed = f", {away} answers of people who were not asked" if wave.file.routing else ""
    return f"{kept} returns in {count(len(wave.file.files), 'file')}, {aside} rows set aside{routed}"


def _add_wave(options: argparse.Namespace) -> int:
    """Draft the description of a new wave from its raw files.

    Recognise the raw files of a new wave, match their questions to the instrument by wording, and draft the wave's
    description in config/waves/<wave>/: wave.yaml and items.tsv. Run it in the folder that you run snakemake in.

    What the files say in so many words is filled in. What could be two things (a word that differs and may matter,
    which end of the scale a bare 1 is, an unknown answer) stands there as `TODO:` with the candidates. snakemake
    refuses to run, and `surveywaves check` lists what is open, until you have decided. Raw files are only read.

    example: (the export of the second wave, with the first as a pattern)
      surveywaves add-wave resources/raw/second/export.xlsx --wave second --like first
      (decide what is TODO in config/waves/second/, add second to `waves:` in config/config.yaml)
      surveywaves check
      snakemake

    web returns and keyed paper forms together, where a list says what the codes of the forms ask (column, wording):
      surveywaves add-wave export.csv paper.csv --wave third --like second --questions paper_codes.tsv
    """
    from surveywaves.adding import addition as adding  # noqa: PLC0415

    home = options.config / "waves" / options.wave
    adding.refuse_existing(home)
    study = load_study(options.config, without=options.wave)
    given = {key: getattr(options, key) for key in ("format", "encoding", "sheet", "header_rows")}
    addition = adding.add_wave(
        study,
        wave=options.wave,
        like=options.like or study.waves[-1].name,
        paths=options.files,
        root=Path(),
        given={key: value for key, value in given.items() if value is not None},
        wordings=options.questions,
        codebook=options.codebook,
        reading=_Progress(),
    )
    adding.write(addition, home)
    print("\n".join(adding.narrate(addition)))
    undecided = mistakes_of_wave(options.config, options.wave)
    print(f"\nDrafted {home}/wave.yaml and items.tsv. {count(len(undecided), 'decision')} for you:")
    print("\n".join(f"  {line}" for line in adding.grouped(undecided)))
    config = options.config / "config.yaml"
    if options.enlist:
        adding.enlist(config, options.wave)
        print(f"\n{config} has the wave in `waves:`. Next: decide, `surveywaves check`, `snakemake`.")
    else:
        line = adding.line_to_add([wave.name for wave in study.waves], options.wave)
        print(f"\nNext: decide, write `{line}` in {config}, `surveywaves check`, `snakemake`.")
    return 0


def _diff(options: argparse.Namespace) -> int:
    """List every number that differs between two pins, or a pin and now.

    Hold a pin against another pin, or against what is released now (`current`), and list every number that moved,
    came or went, old and new; then the stage where it begins and everything that differs in what the numbers were
    made from: raw files, settings, code, packages. Nothing is computed: `snakemake verify --config pin=<label>`
    computes all of it again.

    The table goes to the screen as tab-separated text, or into a file.

    example:
      surveywaves diff report-2007 current --output erratum.csv
    """
    from surveywaves.files import write  # noqa: PLC0415
    from surveywaves.pin.manifest import Places  # noqa: PLC0415
    from surveywaves.pin.verify import diff  # noqa: PLC0415

    if options.output and options.output.suffix not in {".csv", ".tsv"}:
        raise SurveywavesError.at(options.output, "neither .csv nor .tsv", "name the file so")
    table, summary = diff(options.first, options.second, Places(Path.cwd(), HOME, options.config.absolute()))
    if options.output:
        write(table, str(options.output))
        print(f"{summary}; {options.output} lists all")
    else:
        table.to_csv(sys.stdout, sep="\t", index=False, lineterminator="\n")
        print(summary, file=sys.stderr)
    return 0


def _archive(options: argparse.Namespace) -> int:
    """Pack a pin into a zip for a repository.

    Pack a pin into a zip for a repository such as Zenodo: an RO-Crate with a README and SHA256SUMS, and what the
    pin's manifest names; nothing else that may lie in its folder. `snakemake pin` makes it as well, and git does
    not keep it: the same pin gives the same bytes every time. A pin that is not as it was made is refused.

    example:
      surveywaves archive report-2007
    """
    from surveywaves.pin.cause import SUFFIX  # noqa: PLC0415
    from surveywaves.pin.making import write_archive  # noqa: PLC0415
    from surveywaves.pin.manifest import PINS  # noqa: PLC0415

    target = options.output or PINS / f"{options.pin}{SUFFIX}"
    write_archive(PINS / options.pin, target)
    print(f"packed: {target}")
    return 0


def _trace(options: argparse.Namespace) -> int:
    """Follow a number back to the raw files.

    Follow a number back to where it comes from: the rows of the released table, the jobs that made them with their
    code and the part of the configuration that each was given, the files that each job read, down to the raw files
    with their SHA-256, and what the data of each wave are. Told from the records of the run, or of a pin; computes
    nothing.

    WHAT is the name of a released table, `figure NAME`, `table NAME` (a table to paste, or one of the report by the
    name of its download), or a path under results/. column=value, as often as needed, chooses rows.

    example:
      surveywaves trace contrasts scale=trust term=change "wave=second - first"
      surveywaves trace figure likert_trust item=trust_1
      surveywaves trace results/tables/answers_trust.csv wave=first --all
    """
    from surveywaves.pin.manifest import Places  # noqa: PLC0415
    from surveywaves.pin.trace import to_json, to_lines, trace  # noqa: PLC0415

    folder = options.directory.absolute()
    places = Places(folder, HOME, folder / options.config)
    found = trace(options.what, places, pin=options.pin, unreleased=options.unreleased)
    if options.json:
        print(json.dumps(to_json(found), indent=1, ensure_ascii=False))
    else:
        print("\n".join(to_lines(found, everything=options.all)))
    return 0


def _ledger(options: argparse.Namespace) -> int:
    """Show what earlier releases showed, enter one, or sign for one.

    The ledger (resources/private/ledger.jsonl) remembers of whom each release was and under which rule. `snakemake` and
    `snakemake pin` refuse results that an earlier release and they together would give single people away by: they
    differ by fewer people than the threshold, or show the same people under another rule.

    Without more: list the releases, and by how many people the results of now differ where that is too few. This is
    for the team only. A pin enters itself; `add` enters what is released now, for a release sent out otherwise; by
    `sign` a person takes it upon themselves that an earlier release and exactly the results of now are both out.

    example:
      surveywaves ledger
      surveywaves ledger add board-2008
      surveywaves ledger sign report-2007 --by "A. Adler" --reason "the corrected answer was published as an erratum"
    """
    from surveywaves.pin.manifest import Places  # noqa: PLC0415
    from surveywaves.pin.remember import enter, lines, sign  # noqa: PLC0415

    places = Places(Path.cwd(), HOME, options.config.absolute())
    if options.action == "list":
        print("\n".join(lines(places)))
        return 0
    if not options.label:
        raise SurveywavesError.at(options.action, "of which release? there is no label", "add LABEL")
    if options.action == "add":
        print(enter(options.label, places))
    else:
        print(sign(options.label, options.by, options.reason, places))
    return 0


def _confidential(options: argparse.Namespace) -> int:
    """Refuse files with answers of individual people.

    Name each file that must stay with the team, because of where it lies or of what is in it whatever it is called:
    rows of individual people, copies of raw files, small counts. Without files: everything that is staged in git,
    which is what the pre-commit hook looks at. Run it in the top folder.

    A file that only looks so can be listed, as exactly these bytes and with a reason, in .githooks/allowed.tsv.
    """
    from surveywaves.confidential import mistakes_in, staged_mistakes  # noqa: PLC0415

    if absent := [path for path in options.files if not path.is_file()]:
        raise SurveywavesError(Mistake(str(path), "no such file") for path in absent)
    files = {path.as_posix(): path for path in options.files}
    if mistakes := mistakes_in(files, Path()) if files else staged_mistakes(Path()):
        raise SurveywavesError(mistakes)
    return 0


def _document(options: argparse.Namespace) -> int:
    """Write config/README.md and the schemas beside it.

    Write config/README.md, the list of every key, and the JSON schemas that editors complete and check the YAML files
    by, from the models that check the configuration.
    """
    for name, text in documents().items():
        write_text(text, str(options.config / name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
