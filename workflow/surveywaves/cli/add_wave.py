"""`surveywaves add-wave`: a new wave drafted from its raw files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final, get_args

from surveywaves.cli.command import Command, Progress
from surveywaves.study import load_study
from surveywaves.study.load import mistakes_of_wave
from surveywaves.study.models import Layout

HELP: Final = """\
Recognise the raw files of a new wave, match their questions to the instrument by wording, and draft the wave's
description in config/waves/<wave>/: wave.yaml and items.tsv. Run it in the folder that you run snakemake in.

What the files say in so many words is filled in. What could be two things (a word that differs and may matter, which
end of the scale a bare 1 is, an unknown answer) stands there as `TODO:` with the candidates. snakemake refuses to
run, and `surveywaves check` lists what is open, until you have decided. Raw files are only read.
"""

EXAMPLE: Final = """\
example: (the export of the second wave, with the first as a pattern)
  surveywaves add-wave resources/raw/second/export.xlsx --wave second --like first
  (decide what is TODO in config/waves/second/, add second to `waves:` in config/config.yaml)
  surveywaves check
  snakemake --cores all

web returns and keyed paper forms together, where a list says what the codes of the forms ask (column, wording):
  surveywaves add-wave export.csv paper.csv --wave third --like second --questions paper_codes.tsv
"""


def run(options: argparse.Namespace) -> int:
    """Draft the wave and say what is left to decide."""
    from surveywaves import adding  # noqa: PLC0415

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
        reading=Progress(),
    )
    adding.write(addition, home)
    print("\n".join(adding.narrate(addition)))
    undecided = mistakes_of_wave(options.config, options.wave)
    print(f"\nDrafted {home}/wave.yaml and items.tsv. {adding.count(len(undecided), 'decision')} for you:")
    print("\n".join(f"  {line}" for line in adding.grouped(undecided)))
    config = options.config / "config.yaml"
    if options.enlist:
        adding.enlist(config, options.wave)
        print(
            f"\n{config} has the wave in `waves:`. Next: decide, `surveywaves check`, `snakemake --cores all`."
        )
    else:
        line = adding.line_to_add([wave.name for wave in study.waves], options.wave)
        print(f"\nNext: decide, write `{line}` in {config}, `surveywaves check`, `snakemake --cores all`.")
    return 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command is told."""
    formats = get_args(Layout.model_fields["format"].annotation)
    parser.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="raw files of the wave, of any formats"
    )
    parser.add_argument("--wave", required=True, help="name of the new wave: its folder under config/waves/")
    parser.add_argument("--like", help="wave to hold it against and model it on (default: the last one)")
    parser.add_argument("--format", choices=formats, help="format of the files (default: recognised)")
    parser.add_argument("--encoding", help="encoding of text files, as in cp1252 (default: recognised)")
    parser.add_argument("--sheet", help="worksheet of an Excel workbook (default: the only one with content)")
    parser.add_argument(
        "--header-rows",
        type=int,
        choices=(1, 2, 3),
        help="header rows of a SurveyMonkey export (default: found)",
    )
    parser.add_argument(
        "--questions",
        type=Path,
        metavar="LIST",
        help="CSV or TSV that says what each column asks: column, wording",
    )
    parser.add_argument(
        "--enlist", action="store_true", help="put the wave at the end of `waves:` in config.yaml as well"
    )


COMMAND: Final = Command(
    name="add-wave",
    summary="draft the description of a new wave from its raw files",
    help=HELP,
    example=EXAMPLE,
    arguments=arguments,
    run=run,
)
