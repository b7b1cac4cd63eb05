"""What a wave to come can detect, from what a wave that is there says about variances.

power      power of a t test, the effect that it finds with a given power, power of a test for equivalence
outlook    how precise contrasts will be with given numbers of respondents
plan       both, for every contrast with the wave to come and every expected number of returns
"""

from surveywaves.planning.plan import plan

__all__ = ["plan"]
