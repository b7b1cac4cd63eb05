"""The `surveywaves` command: what a person does around a run of the workflow."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from surveywaves.errors import SurveywavesError
from surveywaves.study import load_study
from surveywaves.study.document import document


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0 when all is well, 1 when the user has something to mend."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except SurveywavesError as error:
        print(error, file=sys.stderr)
        return 1


def _check(options: argparse.Namespace) -> int:
    study = load_study(options.config)
    study.require_raw_files()
    asked = {wave.name: sum(bool(row.columns) for row in wave.crosswalk) for wave in study.waves}
    for wave in study.waves:
        print(
            f"{wave.name}: {wave.file.title}, {wave.file.evidence}, {asked[wave.name]} of {len(study.items)} items"
        )
    print(f"ok: {len(study.waves)} waves, {len(study.items)} items, {len(study.scales)} scales")
    return 0


def _document(options: argparse.Namespace) -> int:
    (options.config / "README.md").write_text(document(), encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="surveywaves", description="Work on a study that the workflow runs."
    )
    parser.add_argument(
        "--config", type=Path, default=Path("config"), help="folder with config.yaml (default: config)"
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    check = commands.add_parser(
        "check",
        help="read the whole configuration and report every mistake",
        description="Read config/ and everything it names, and report every mistake, one line each. Runs nothing.",
    )
    check.set_defaults(run=_check)
    documenting = commands.add_parser(
        "document",
        help="write config/README.md",
        description="Write config/README.md, the list of every key, from the models that check the configuration.",
    )
    documenting.set_defaults(run=_document)
    return parser


if __name__ == "__main__":
    sys.exit(main())
