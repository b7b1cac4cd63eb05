"""Sensitivity: what every contrast becomes when the analysis is done another way.

`compare` does all of it side by side; `variants` lists the ways; `agreement` says in words how many of them reach the
decision of the main analysis. One room a matter: `setting` (what an analysis rests on and a variant may change),
`respondents` and `answers` (who and what is compared), `weighting` (raking), `twice` (people in two waves), `titles`
(the variants in words; imports nothing heavy).
"""
