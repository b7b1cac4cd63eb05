"""Write each organisation's own sheet."""

from pathlib import Path

from surveywaves.files import write_bytes
from surveywaves.report.sheets import sheets
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import Presentation
from surveywaves.tables.made import frames_of

with stage(snakemake):
    given = snakemake.input
    presentation = Presentation.model_validate_json(snakemake.params.presentation)
    templates = Path(next(path for path in given.templates if path.endswith("report.typ"))).parent
    frames = frames_of({name: given[name] for name in snakemake.params.tables})
    for name, content in sheets(frames, presentation, templates=templates):
        write_bytes(content, f"{snakemake.output.sheets}/{name}")
