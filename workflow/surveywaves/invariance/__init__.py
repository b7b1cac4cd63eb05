"""Measurement invariance: whether an item works alike in every wave and organisation.

`dif` compares items between groups of respondents who stand alike on the rest of the scale; `flagged` names the items
that differ enough to matter; `size_class` puts a size into the usual words. Underneath: `proportional_odds`, which is
`mixed.cumulative` without respondents.
"""

from surveywaves.invariance.dif import dif, flagged, size_class

__all__ = ["dif", "flagged", "size_class"]
