"""Write the pooled data for SPSS, Stata and everything else, and say what they are in DDI."""

from surveywaves.exports.dataset import dataset
from surveywaves.exports.ddi import to_ddi
from surveywaves.exports.delimited import codebook_csv, to_csv
from surveywaves.exports.part import ExportPart
from surveywaves.exports.private import write_private
from surveywaves.exports.spss import to_sav
from surveywaves.exports.stata import to_dta
from surveywaves.script import read, stage

with stage(snakemake.log):
    given, output = snakemake.input, snakemake.output
    data = dataset(
        read(given.responses),
        read(given.missing),
        read(given.codebook),
        part=ExportPart.model_validate(snakemake.params.part),
    )
    write_private(to_sav(data), output.spss)
    write_private(to_dta(data), output.stata)
    write_private(to_csv(data), output.csv)
    write_private(codebook_csv(data), output.codebook)
    write_private(to_ddi(data), output.ddi)
