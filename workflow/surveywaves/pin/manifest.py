"""What a pin says of itself: `manifest.json`, as models that are written and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pydantic import Field, ValidationError

from surveywaves.errors import SurveywavesError
from surveywaves.study.base import Model
from surveywaves.study.models import Evidence

FORMAT: Final = 1
"""Version of the manifest's form; a change of it stands in the changelog."""

NAME: Final = "manifest.json"

PINS: Final = Path("results/pins")
"""Where pins lie in a working folder."""

Hashes = dict[str, str]
"""Path -> SHA-256 in hexadecimal."""


class Tolerance(Model):
    """How far an estimate may lie from the pinned one and still be the same: `absolute + relative * |pinned|`.

    Counts, words and decisions have none.
    """

    relative: float = 1e-6
    absolute: float = 1e-9


class Revision(Model):
    """A state of a git repository."""

    commit: str
    date: str
    """When it was committed, in ISO 8601, as the commit has it."""


class WaveEvidence(Model):
    """What the data of a wave are."""

    wave: str
    title: str
    evidence: Evidence
    note: str = ""
    weaker: dict[str, Evidence] = Field(default_factory=dict)
    """Variable -> its evidence, where that is weaker than the wave's."""


class Job(Model):
    """A job of the workflow, as its record has it.

    Paths are POSIX: those of `inputs` and `outputs` relative to the working folder, `config/...` in the study's
    folder whatever its name, `workflow/...` in the workflow's; those of `code` relative to the workflow's home.
    """

    rule: str
    wildcards: dict[str, str] = Field(default_factory=dict)
    inputs: Hashes
    code: Hashes
    params: dict[str, Any]
    outputs: Hashes

    @property
    def name(self) -> str:
        """Give the job's name as a person reads it: `ingest(second)`."""
        return f"{self.rule}({', '.join(self.wildcards.values())})" if self.wildcards else self.rule


class Environment(Model):
    """What the results were computed with."""

    python: str
    platform: str
    """Operating system and processor, as in `Linux x86_64`."""
    matplotlib: str
    """Apart from the others: figures are the same bytes within one version only."""
    packages: dict[str, str]
    """Every installed package that `requirements.lock` names -> its version."""


class Manifest(Model):
    """Everything that a pin says of itself. No time and no place: the same results give the same bytes."""

    format: int = FORMAT
    label: str
    title: str
    """Title of the study."""
    statement: str
    """What may be made of the numbers, in a sentence that no reader must miss."""
    evidence: tuple[WaveEvidence, ...]
    """In the order of the study's waves."""

    workflow: Revision | None
    """Commit that the workflow was at; None: it is in no git repository."""
    study: Revision | None
    """Commit that the study's configuration was at: the same repository as the workflow's, or another."""
    overridden: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Option that passed over a refusal (`allow_dirty`, `allow_stale`, `allow_unreleased`) -> what it passed over."""
    proved: bool
    """Whether the results came out again, byte for byte, in a clean folder before they were pinned."""
    tolerance: Tolerance = Tolerance()
    environment: Environment

    raw: Hashes
    """Files that no job makes and that are not the configuration: the waves' returns, a publication's tables."""
    config: Hashes
    """Files of the study's folder, as `config/...`."""
    code: Hashes
    """Files of the workflow, relative to its home."""
    outputs: Hashes
    """Files of this pin, relative to it: all but the manifest, and what describes the pin for archives."""
    contents: Hashes = Field(default_factory=dict)
    """Tables between the stages -> hash of what is in them, which does not depend on the version of the format."""
    jobs: tuple[Job, ...]
    """Every job that the outputs depend on, each after those whose outputs it reads."""


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write a pin's manifest into its folder."""
    text = json.dumps(manifest.model_dump(mode="json"), indent=1, ensure_ascii=False)
    (folder / NAME).write_text(f"{text}\n", encoding="utf-8", newline="\n")


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a pin.

    Raises
    ------
    SurveywavesError
        If there is none, or it is none that this version understands.
    """
    path = folder / NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _unknown(folder) from None
    except ValueError:
        raise SurveywavesError.at(path, "not a manifest: no JSON") from None
    if content.get("format") != FORMAT:
        raise SurveywavesError.at(
            path,
            f"manifest of format {content.get('format')}, this version reads {FORMAT}",
            "use the version of surveywaves in the pin's `source/`",
        )
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SurveywavesError.at(path, f"not a manifest: {where}: {first['msg']}") from None


def _unknown(folder: Path) -> SurveywavesError:
    known = sorted(path.parent.name for path in folder.parent.glob(f"*/{NAME}"))
    hint = f"there is {', '.join(known)}" if known else f"there are no pins in {PINS.as_posix()}"
    return SurveywavesError.at("/".join(folder.parts[-3:]), "no such pin", hint)
