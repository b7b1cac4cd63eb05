"""Mixed-effects comparison of waves and organisations, item by item.

`design` turns a frame of respondents into a compact design; `linear` fits it; `contrasts` turns a fit into
estimated marginal means and stated contrasts. A further model (ordinal) takes the same design and gives the
same kind of fit.
"""
