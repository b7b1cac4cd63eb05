"""Raw cells into the terms of the instrument: one row a respondent, a value or the reason why there is none.

A crosswalk says which raw column holds which question (`crosswalk`), a coding says what its cells mean (`cells`);
`wave` puts the two together. Nothing is guessed: a column, label or weight that the study does not explain is an
error, and all of them are reported at once.
"""

from surveywaves.harmonise.cells import REASONS
from surveywaves.harmonise.labels import harmonise_checked
from surveywaves.harmonise.wave import NOT_ASKED_OF, Harmonised, harmonise, rescaled_scales

__all__ = ["NOT_ASKED_OF", "REASONS", "Harmonised", "harmonise", "harmonise_checked", "rescaled_scales"]
