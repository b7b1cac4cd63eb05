"""What a wave to come can detect, from what a wave that is there says about variances.

`plan` gives it for every contrast with the wave to come and every expected number of returns: how precise contrasts
will be, the power of their tests, and the effects that they can detect (`power`).
"""

from surveywaves.planning.plan import plan

__all__ = ["plan"]
