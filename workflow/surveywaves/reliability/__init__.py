"""Reliability of scales: how far the items of a scale go together, in every wave and organisation.

`reliability` estimates; `usage` marks, of what it found, the scales of low reliability. `answers` has whose
answers count, `alpha` what follows from their covariances, `factors` omega and ordinal alpha.
"""

from surveywaves.reliability.estimate import reliability, usage

__all__ = ["reliability", "usage"]
