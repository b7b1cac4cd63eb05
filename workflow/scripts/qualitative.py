"""Read the coded material, compare it with the survey, and make its figures and tables."""

from pathlib import Path

from surveywaves.catalogue import INTERVIEW_FIGURES, INTERVIEW_TABLES
from surveywaves.disclosure import Rule
from surveywaves.disclosure.checklist import checklist, workbook
from surveywaves.disclosure.releases import require_apart, require_like_pins
from surveywaves.figures.saving import save_all
from surveywaves.files import read, write, write_bytes
from surveywaves.qualitative.beside import beside, read_material
from surveywaves.qualitative.people import interviewed
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import Presentation, QualitativePart
from surveywaves.tables.publish import files
from surveywaves.words import Labels

with stage(snakemake):
    given, output = snakemake.input, snakemake.output
    part = QualitativePart.model_validate(snakemake.params.part)
    presentation = Presentation.model_validate_json(snakemake.params.presentation)
    material = read_material(part, root=Path())
    require_apart(Path(), part.disclosure, lambda _, key: interviewed(material, key))
    survey = [read(given[name]) for name in ("means", "contrasts")]
    found = beside(part, presentation, material, *survey, rule=Rule.of(part.disclosure))
    require_like_pins(Path(), part.disclosure, found.released)
    for name, table in found.private.items():
        write(table, output[name], private=True)
    for name, table in found.released.items():
        write(table, output[name])
        write(table, str(Path(output[name]).with_suffix(".csv")))
    sheet = checklist(found.by_scope(), snakemake.params.figures, part.disclosure)
    write(sheet, output.checklist)
    write_bytes(workbook(sheet), output.sheet)
    captions = save_all(found.released, presentation, Path(output.captions).parent, INTERVIEW_FIGURES)
    write(captions, output.captions)
    for name, content in files(found.released, Labels(presentation), INTERVIEW_TABLES):
        write_bytes(content, str(Path(output.tables) / name))
