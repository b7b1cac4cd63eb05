"""Reliability of scales: how far the items of a scale go together, in every wave and organisation.

`reliability` estimates; `usage` says, of what it found, which scales may be compared as scales. One room a statistic:
`answers` (whose answers count), `alpha`, `bootstrap`, `omega`, `polychoric` (on `bivariate`), `extremes`, `equality`.
"""

from surveywaves.reliability.estimate import reliability, usage

__all__ = ["reliability", "usage"]
