"""Invented interviews and observations: who was interviewed, what each of three researchers coded, and where.

How many were interviewed is the Phase I report's (36 managers and PEG members, 73 front-line staff in four service
areas); how they divide, and everything that is coded, is stated in `demo/interviews/` and drawn. There is no text.
"""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pandas as pd

from surveywaves.files import read
from surveywaves.study import Study

SEED = 20061001
FOLDER = "demo/raw/qualitative"
RESEARCHERS = 3
EVERY = 9
"""Every ninth interview is coded by all researchers."""
LENGTH = 45_000
"""Characters of a transcript, of an hour or so."""
FOUND, MISREAD, SHIFT = 0.85, 0.06, 60
"""Share of passages that a researcher marks, and gives another code; characters by which its ends move."""
_STAMP = (2007, 9, 1, 0, 0, 0)
_PARENTS = "/"


def interviews(study: Study, home: Path) -> dict[str, bytes]:
    """Make the files: path from the top of the repository -> content, the same bytes on every call.

    Parameters
    ----------
    study
        The study, which has a qualitative part.
    home
        The folder `demo/interviews`.
    """
    assert study.qualitative is not None
    rng = np.random.default_rng(SEED)
    sources = _sources(read(str(home / "interviewed.tsv")))
    codings = pd.DataFrame(
        list(_coded(study, sources, read(str(home / "parameters.tsv")), rng)),
        columns=["source", "coder", "code", "start", "end"],
    ).sort_values(["coder", "source", "start", "code"], ignore_index=True)
    codes = [code.code for code in study.qualitative.codes]
    words = study.qualitative.file
    listed = sources.assign(
        stage=sources["stage"].map({name: stage.title for name, stage in words.stages.items()}),
        area=sources["area"].map(words.areas),
        organisation=sources["organisation"].map(study.config.organisations),
    ).rename(columns={"area": "service area"})
    made = {"sources.csv": _csv(listed), "codebook.qdc": _codebook(codes)}
    for coder in range(1, RESEARCHERS + 1):
        own = codings[codings["coder"] == coder]
        if coder < RESEARCHERS:
            made[f"researcher_{coder}.qdpx"] = _project(own, codes, list(sources["source"]), coder)
        else:
            made[f"researcher_{coder}.csv"] = _csv(own.assign(coder=f"Researcher {coder}"))
    made["observations.csv"] = _csv(pd.DataFrame(list(_observed(study, rng))))
    return {f"{FOLDER}/{name}": content for name, content in made.items()}


def _sources(interviewed: pd.DataFrame) -> pd.DataFrame:
    rows = [
        (row["stage"], row["area"], organisation)
        for row in interviewed.to_dict("records")
        for organisation in ("nhs", "social_work")
        for _ in range(int(row[organisation]))
    ]
    frame = pd.DataFrame(rows, columns=["stage", "area", "organisation"])
    frame.insert(0, "source", [f"Interview {number:03d}" for number in range(1, len(rows) + 1)])
    return frame


def _coded(
    study: Study, sources: pd.DataFrame, parameters: pd.DataFrame, rng: np.random.Generator
) -> Iterator[tuple[str, int, str, int, int]]:
    """Yield source, coder, code and place of every passage that somebody marks."""
    assert study.qualitative is not None
    codes: dict[tuple[str | None, str], str] = {}
    for code in study.qualitative.codes:
        codes[code.theme, code.tone] = code.code
    every = [code.code for code in study.qualitative.codes if code.theme]
    for number, (source, area) in enumerate(zip(sources["source"], sources["area"], strict=True)):
        coders = range(1, RESEARCHERS + 1) if number % EVERY == 0 else (1 + number % RESEARCHERS,)
        for theme, cell in zip(parameters["theme"], parameters[area], strict=True):
            raised, favourable = map(float, cell.split())
            leaning = rng.random() < favourable
            for _ in range(rng.integers(1, 4) if rng.random() < raised else 0):
                own = leaning if rng.random() < 0.85 else not leaning
                meant = codes.get((theme, "+" if own else "-")) or codes.get((theme, "-")) or codes[theme, ""]
                start, length = int(rng.integers(0, LENGTH)), int(rng.integers(120, 900))
                for coder in coders:
                    seen, misread = rng.random() < FOUND, rng.random() < MISREAD
                    other, low, high = rng.integers(len(every)), *rng.integers(0, SHIFT, 2)
                    if seen:
                        given = every[other] if misread else meant
                        yield source, coder, given, start + int(low), start + length + int(high)


def _observed(study: Study, rng: np.random.Generator) -> Iterator[dict[str, object]]:
    """Yield the grid: weekly and monthly meetings, how often each category was seen."""
    assert study.qualitative is not None
    file = study.qualitative.file
    often = {
        "roles": 3.0,
        "initiative": 4.0,
        "suggestions": 6.0,
        "obstructive": 0.7,
        "challenging": 1.5,
        "information": 9.0,
    }
    for group, meetings in (("emt", 40), ("peg", 14), ("children", 9), ("mental_health", 4)):
        for meeting in range(1, meetings + 1):
            date = pd.Timestamp("2006-08-01") + pd.Timedelta(days=int(meeting * 400 / (meetings + 1)))
            for category, mean in often.items():
                yield {
                    "meeting": f"{group} {meeting:02d}",
                    "date": date.date().isoformat(),
                    "group": file.groups[group],
                    "category": file.categories[category],
                    "count": int(rng.poisson(mean)),
                }


# --- files ------------------------------------------------------------------------------------------------------


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def _guid(*about: object) -> str:
    return str(
        uuid.uuid5(uuid.NAMESPACE_URL, "surveywaves demonstration " + " ".join(map(str, about)))
    ).upper()


def _codes(codes: list[str]) -> str:
    """Write the codes as a tree."""
    children: dict[str, list[str]] = {}
    for code in codes:
        parent, _, _ = code.rpartition(_PARENTS)
        children.setdefault(parent or code, []).extend([code] if parent else [])
    lines = []
    for parent, below in children.items():
        inside = [f'{_code(code)} isCodable="true"/>' for code in below]
        lines += (
            [f'{_code(parent)} isCodable="false">', *inside, "</Code>"]
            if below
            else [f'{_code(parent)} isCodable="true"/>']
        )
    return "\n".join(["<Codes>", *lines, "</Codes>"])


def _code(path: str) -> str:
    return f"<Code guid={quoteattr(_guid('code', path))} name={quoteattr(path.rpartition(_PARENTS)[2])}"


def _codebook(codes: list[str]) -> bytes:
    head = (
        '<?xml version="1.0" encoding="utf-8"?>\n<CodeBook xmlns="urn:QDA-XML:codebook:1.0" origin="demo">\n'
    )
    return f"{head}{_codes(codes)}\n</CodeBook>\n".encode()


def _project(codings: pd.DataFrame, codes: list[str], sources: list[str], coder: int) -> bytes:
    """Write a REFI-QDA project: its XML document, and no text of any source."""
    user = _guid("researcher", coder)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<Project xmlns="urn:QDA-XML:project:1.0" name="Demonstration" origin="demo" creatingUserGUID="{user}">',
        f'<Users><User guid="{user}" name="Researcher {coder}"/></Users>',
        f"<CodeBook>\n{_codes(codes)}\n</CodeBook>",
        "<Sources>",
    ]
    for source in sources:
        guid = _guid("source", source)
        lines.append(f'<TextSource guid="{guid}" name="{source}" plainTextPath="internal://{guid}.txt">')
        own = codings[codings["source"] == source]
        for number, code, start, end in own[["code", "start", "end"]].itertuples():
            here = (coder, source, number)
            lines.append(
                f'<PlainTextSelection guid="{_guid("selection", *here)}" startPosition="{start}" '
                f'endPosition="{end}" creatingUser="{user}"><Coding guid="{_guid("coding", *here)}" '
                f'creatingUser="{user}"><CodeRef targetGUID="{_guid("code", code)}"/></Coding></PlainTextSelection>'
            )
        lines.append("</TextSource>")
    lines += ["</Sources>", "</Project>", ""]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        about = zipfile.ZipInfo("project.qde", _STAMP)
        about.compress_type, about.create_system = zipfile.ZIP_DEFLATED, 3
        archive.writestr(about, "\n".join(lines))
    return buffer.getvalue()
