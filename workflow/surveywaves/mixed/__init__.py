"""Mixed-effects comparison of waves and organisations, item by item: a linear and an ordinal model.

`design` turns a frame of respondents into a compact design. `lmm` and `clmm` fit it; respondents alone are the case
of one variance ratio (or standard deviation) where with teams there are two. `contrasts` turns a fit into estimated
marginal means and stated contrasts, `favourable` into percentages, `decisions` into words; `diagnostics` looks at what
the linear fit leaves.

Below: `reml` is the linear likelihood by its ratios, from the `sums` of the data; `cumulative` the links and the
chance of an answer, `quadrature` the ordinal likelihood, `newton` the way up, `maximum` which maximum the data allow.
`profile` finds the intervals of both, `components` states the variances of both, `estimable` what the data determine,
`sandwich` the covariances under weights.
"""
