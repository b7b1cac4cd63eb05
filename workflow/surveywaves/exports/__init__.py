"""The pooled data for the tools that people use: SPSS, Stata, CSV, and a DDI Codebook that describes them.

`dataset` is what a study tells the exports, and the pooled data with codes; each format has a module that turns a
`Dataset` into the bytes of a file. All hold answers of individual people: they are written so that only their owner can
read them.
"""
