"""The pooled data for the tools that people use: SPSS, Stata, CSV, and a DDI Codebook that describes them.

`part` is what a study tells the exports, `dataset` puts codes to the pooled data, and each format has a module that
turns a `Dataset` into the bytes of a file. All hold answers of individual people: they are written so that only
their owner can read them.
"""
