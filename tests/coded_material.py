"""Small pieces of coded material, and their description in a study."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from surveywaves.study.models import Disclosure
from surveywaves.study.parts import QualitativePart
from surveywaves.study.qualitative import Code, QualitativeFile, Theme

CODED = Path(__file__).parent / "coded"
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
CODEBOOK = (
    '<CodeBook><Codes><Code guid="{aa}" name="Joint working" isCodable="false">'
    '<Code guid="AB" name="Needed" isCodable="true"/></Code>'
    '<Code guid="BA" name="Pay &amp; conditions" isCodable="true"/></Codes></CodeBook>'
)
SOURCES = (
    "source,stage,service area,organisation\nInterview 001,First,Teams,NHS\nInterview 002,first,teams,nhs\n"
)


def project(inside: str, *, codebook: str = CODEBOOK, root: str = "Project") -> str:
    """Write the XML document of a project around its sources."""
    return f'{HEAD}<{root} xmlns="urn:QDA-XML:project:1.0" name="p" creatingUserGUID="U1">{codebook}{inside}</{root}>'


def coding(code: str = "AB", *, start: str = "0", end: str = "9", user: str = "U2") -> str:
    """Write a coded selection."""
    return (
        f'<PlainTextSelection guid="s" startPosition="{start}" endPosition="{end}" creatingUser="{user}">'
        f'<Coding guid="c"><CodeRef targetGUID="{code}"/></Coding></PlainTextSelection>'
    )


def source(inside: str, name: str = "Interview 001.docx") -> str:
    """Write the sources of a project: one."""
    return f'<Sources><TextSource guid="T" name="{name}">{inside}</TextSource></Sources>'


def qdpx(path: Path, document: str | bytes, *more: tuple[str, str]) -> Path:
    """Write an archive with the document of a project, and other files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (("project.qde", document), *more):
            archive.writestr(name, content)
    return path


def part(root: Path, *segments: str, sources: str | None = SOURCES, **file: Any) -> QualitativePart:
    """Describe the material in a folder; `sources` is written there."""
    if sources is not None:
        (root / "sources.csv").write_text(sources, encoding="utf-8")
        file["sources"] = "sources.csv"
    described = {
        "evidence": "simulated",
        "stages": {"first": {"title": "First", "wave": "one"}, "second": {"title": "Second", "wave": "one"}},
        "areas": {"teams": "Teams", "wards": "Wards"},
        "segments": segments,
        **file,
    }
    return QualitativePart(
        file=QualitativeFile.model_validate(described),
        codes=(
            Code(code="Joint working/Needed", theme="joint", tone="+"),
            Code(code="Pay & conditions", theme="pay", tone="-"),
        ),
        themes=(Theme(theme="joint", title="Joint working"), Theme(theme="pay", title="Pay")),
        organisations={"nhs": "NHS", "social_work": "Social Work"},
        principles={},
        waves=("one",),
        disclosure=Disclosure(),
        seed=1,
        confidence=0.95,
    )
