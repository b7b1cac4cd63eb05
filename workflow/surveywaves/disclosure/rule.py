"""The rule: which numbers are too telling to be shown, and what a reader must not be able to tell."""

from __future__ import annotations

from dataclasses import dataclass

from surveywaves.disclosure.system import Need


@dataclass(frozen=True, slots=True)
class Rule:
    """What the study chose.

    Attributes
    ----------
    threshold
        Smallest count that may be shown.
    zeros
        Whether a count of 0 is shown.
    uniform
        Whether it is kept back that all of a group, or all but fewer than `threshold`, answered alike.
    unstated
        Whether a small count of people is shown of whom it says only that they said nothing (did not state their
        organisation or profession, skipped an item).
    rounding
        Base that all counts are rounded to instead of withholding some; 0: not rounded.
    """

    threshold: int = 5
    zeros: bool = True
    uniform: bool = True
    unstated: bool = False
    rounding: int = 0

    def small(self, n: int) -> bool:
        """Whether a count is below the threshold and must not be shown for that."""
        return (0 if self.zeros else -1) < n < self.threshold

    def need(
        self, cell: int, n: int, *, group: int, known: int | None = None, answer: bool = True
    ) -> Need | None:
        """Say what must stay open about a count; None if it may be shown.

        Parameters
        ----------
        cell
            Its place in the system.
        n, group
            The count, and the number of people it is a part of.
        known
            Size of the group where that is no secret: no count can then seem larger.
        answer
            Whether it counts an answer: that a whole group has one profession may be said.

        Returns
        -------
        Need or None
            A small count must seem to be anything from 0 to the threshold: neither that there is somebody nor that
            they are few can be told. Where all but a few answered alike, it must seem that at least `threshold`
            might have answered otherwise.
        """
        if self.small(n):
            return Need(cell, 0, self.threshold if known is None else min(self.threshold, known))
        if self.uniform and answer and n > 0 and group - n < self.threshold:
            return Need(cell, max(0, group - self.threshold), n)
        return None
