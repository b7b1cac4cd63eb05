"""Write the pooled data for SPSS, Stata and everything else, and say what they are in DDI."""

from surveywaves.exports.dataset import dataset
from surveywaves.exports.ddi import to_ddi
from surveywaves.exports.separated import codebook_csv, to_csv
from surveywaves.exports.spss import to_sav
from surveywaves.exports.stata import to_dta
from surveywaves.files import read, write_bytes
from surveywaves.script import snakemake, stage
from surveywaves.study.parts import ExportPart

with stage(snakemake):
    given, output = snakemake.input, snakemake.output
    data = dataset(
        read(given.responses),
        read(given.missing),
        read(given.codebook),
        part=ExportPart.model_validate(snakemake.params.part),
    )
    write_bytes(to_sav(data), output.spss, private=True)
    write_bytes(to_dta(data), output.stata, private=True)
    write_bytes(to_csv(data), output.csv, private=True)
    write_bytes(codebook_csv(data), output.codebook, private=True)
    write_bytes(to_ddi(data), output.ddi, private=True)
