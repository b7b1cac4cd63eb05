"""Reliability of scales: how far the items of a scale go together, in every wave and organisation.

`reliability` estimates; `usage` says, of what it found, which scales may be compared as scales. `answers` has whose
answers count, `alpha` what follows from their covariances, `factors` omega and ordinal alpha.
"""

from surveywaves.reliability.estimate import reliability, usage

__all__ = ["reliability", "usage"]
