"""DDI Codebook 2.5: what the data are, variable by variable, for archives and catalogues."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

from surveywaves.exports import dataset, spss
from surveywaves.exports.dataset import REASON_NAMES as REASONS
from surveywaves.exports.dataset import Dataset, Variable, reason_words
from surveywaves.study.parts import ExportPart, WaveWords
from surveywaves.terms import Evidence

NAMESPACE: Final = "ddi:codebook:2_5"
SCHEMA: Final = "http://www.ddialliance.org/Specification/DDI-Codebook/2.5/XMLSchema/codebook.xsd"

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


class DataFile(NamedTuple):
    """A data file, as the document calls it, and how missing values stand in it."""

    identifier: str
    name: str
    kind: str
    missing: str


FILES: Final = (
    DataFile(
        "F_sav",
        "responses.sav",
        "SPSS data file",
        "Missing values are user-missing codes, -1 to -5 by their reason.",
    ),
    DataFile(
        "F_dta",
        "responses.dta",
        "Stata data file (format 118)",
        "Missing values are extended missing values, .a to .e by their reason.",
    ),
    DataFile(
        "F_csv",
        "responses.csv",
        "Comma-separated values (RFC 4180)",
        "Missing values are empty; columns ending in .missing give their reason. Levels stand by name, not by code.",
    ),
)


def to_ddi(data: Dataset) -> bytes:
    """Write a DDI Codebook 2.5 document: the same bytes for the same data.

    It describes the three data files in one: codes are those of SPSS and Stata, missing codes those of SPSS. There are
    no frequencies (`catStat`, `sumStat`) in it: they would go round the disclosure rule, and a codebook is what people
    do pass on.

    Returns
    -------
    bytes
        XML in UTF-8.
    """
    root = ET.Element(
        "codeBook",
        {
            "xmlns": NAMESPACE,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": f"{NAMESPACE} {SCHEMA}",
            "version": "2.5",
        },
    )
    _document(root, data.part)
    _study(root, data.part)
    for file in FILES:
        _file(root, data, file)
    _data(root, data)
    ET.indent(root)
    return f"{_DECLARATION}{ET.tostring(root, encoding='unicode')}\n".encode()


# --- the study --------------------------------------------------------------------------------------------------


def _document(root: ET.Element, part: ExportPart) -> None:
    citation = _add(_add(root, "docDscr"), "citation")
    _add(_add(citation, "titlStmt"), "titl", f"Codebook: {part.title}")
    _add(_add(citation, "prodStmt"), "software", "surveywaves")


def _study(root: ET.Element, part: ExportPart) -> None:
    study = _add(root, "stdyDscr")
    citation = _add(study, "citation")
    title = _add(citation, "titlStmt")
    _add(title, "titl", part.title)
    _add(title, "subTitl", dataset.headline(part))
    _notes(citation, "evidence", dataset.evidence(part))

    info = _add(study, "stdyInfo")
    _add(info, "abstract", part.description)
    summary = _add(info, "sumDscr")
    for wave in part.waves.values():
        _dates(summary, wave)
    _add(summary, "anlyUnit", "Individual")
    for wave in part.waves.values():
        _add(summary, "universe", _universe(part, wave))
    _add(summary, "dataKind", "Survey data")

    method = _add(study, "method")
    several = "Repeated cross-sections; respondents are not linked between waves."
    _add(_add(method, "dataColl"), "timeMeth", several if len(part.waves) > 1 else "Cross-section.")
    for text in dataset.comparability(part):
        _add(method, "notes", text, type="comparability")

    use = _add(_add(study, "dataAccs"), "useStmt")
    _add(use, "restrctn", dataset.CONFIDENTIAL)
    if any(wave.evidence is not Evidence.OBSERVED for wave in part.waves.values()):
        _add(
            use, "disclaimer", f"{dataset.headline(part)}. What is not observed is no finding about anybody."
        )
    if part.citation:
        _add(_add(study, "othrStdyMat"), "relPubl", part.citation)


def _dates(summary: ET.Element, wave: WaveWords) -> None:
    """Write when a wave was in the field, as far as it is known."""
    known = {"start": wave.start, "end": wave.end}
    if not any(known.values()):
        _add(summary, "collDate", wave.period or "not known", cycle=wave.title, event="single")
    for event, day in known.items():
        if day:
            _add(summary, "collDate", day.isoformat(), cycle=wave.title, date=day.isoformat(), event=event)


def _universe(part: ExportPart, wave: WaveWords) -> str:
    surveyed = ", ".join(part.organisations[name] for name in wave.organisations_surveyed)
    size = wave.population.size
    many = f"{'about ' if wave.population.approximate else ''}{size:,} people" if size else "size not known"
    return f"{dataset.wave_title(wave)}: {surveyed}; {many}. {wave.population.note}"


# --- files and variables ----------------------------------------------------------------------------------------


def _file(root: ET.Element, data: Dataset, file: DataFile) -> None:
    description = _add(root, "fileDscr", ID=file.identifier)
    text = _add(description, "fileTxt")
    _add(text, "fileName", file.name)
    _add(text, "fileCont", f"One row a respondent, all waves. {dataset.headline(data.part)}.")
    size = _add(text, "dimensns")
    _add(size, "caseQnty", str(data.rows))
    _add(size, "varQnty", str(len(data.variables)))
    _add(text, "fileType", file.kind, charset="UTF-8")
    _add(text, "dataMsng", file.missing)
    _add(description, "notes", dataset.CONFIDENTIAL, type="confidentiality")


def _data(root: ET.Element, data: Dataset) -> None:
    described = _add(root, "dataDscr")
    items = [variable for variable in data.variables if variable.is_item]
    for number, title in data.part.sections.items():
        members = _ids(variable for variable in items if variable.section == number)
        _add(_add(described, "varGrp", ID=f"S_{number}", type="section", var=members), "labl", title)
    for name, scale in data.part.scales.items():
        own = (variable for variable in items if variable.scale == name and variable.kind == "item")
        group = _add(described, "varGrp", ID=f"G_{name}", type="analysis", name=name, var=_ids(own))
        _add(group, "labl", scale.title)
        if scale.source:
            _add(group, "notes", scale.source, type="source")
    for variable in data.variables:
        _variable(described, data.part, variable)


def _variable(described: ET.Element, part: ExportPart, variable: Variable) -> None:
    text = not variable.codes and variable.kind != "weight"
    found = _add(
        described,
        "var",
        ID=_id(variable),
        name=variable.name,
        wgt="wgt" if variable.kind == "weight" else None,
        files=" ".join(file.identifier for file in FILES),
        intrvl="contin" if variable.kind == "weight" else "discrete",
        nature="ratio" if variable.kind == "weight" else variable.measure,
        representationType="text" if text else "code" if variable.codes else "numeric",
    )
    _add(found, "labl", variable.label)
    if variable.is_item:
        _add(_add(found, "qstn", responseDomainType="category"), "qstnLit", variable.label)
    if variable.missing:
        low, high = spss.missing_code(len(REASONS)), spss.missing_code(1)
        _add(_add(found, "invalrng"), "range", UNITS="INT", min=str(low), max=str(high))
    for code, told in variable.codes.items():
        _category(found, code, told)
    if variable.missing:
        for number, reason, told in reason_words():
            _category(found, spss.missing_code(number), told, missing="Y", missType=reason.value)
    _add(found, "varFormat", type="character" if text else "numeric")
    if variable.keyed == "-":
        told = "Keyed -: agreement means less of what its scale measures. Values are as worded, not turned round."
        _add(found, "notes", told, type="keying")
    if variable.kind == "rescaled_item":
        told = "Asked on another response scale, which the study does not map onto the instrument's: not comparable."
        _add(found, "notes", told, type="rescaled")
    grades = ((part.waves[wave].title, grade) for wave, grade in (variable.grades or {}).items())
    _notes(found, "comparability", grades)
    _notes(found, "evidence", dataset.evidence_of(part, variable.evidence_names))


def _category(variable: ET.Element, code: int, told: str, **attributes: str) -> None:
    category = _add(variable, "catgry", **attributes)
    _add(category, "catValu", str(code))
    _add(category, "labl", told)


# --- elements ---------------------------------------------------------------------------------------------------


def _add(parent: ET.Element, tag: str, text: str = "", **attributes: str | None) -> ET.Element:
    """Put an element at the end of another; an attribute that is None or empty is left out."""
    told = {name: dataset.line(value) for name, value in attributes.items() if value}
    found = ET.SubElement(parent, tag, told)
    found.text = dataset.line(text) or None
    return found


def _notes(parent: ET.Element, kind: str, told: Iterable[tuple[str, str]]) -> None:
    for subject, text in told:
        _add(parent, "notes", text, type=kind, subject=subject)


def _id(variable: Variable) -> str:
    return f"V_{variable.name}"


def _ids(variables: Iterable[Variable] | Iterator[Variable]) -> str:
    return " ".join(_id(variable) for variable in variables)
