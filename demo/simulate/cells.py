"""A wave's crosswalk and codings read backwards: which cell a file has for a value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from simulate.models import DemoPart
from surveywaves.errors import StudyError
from surveywaves.study.models import VariableSource
from surveywaves.terms import Missing

State = int | str
"""What a respondent has under a question: an item's 1..K, a level or organisation, or the reason of a missing value."""

ORGANISATION = "organisation"
REASONS = frozenset(reason.value for reason in Missing)


@dataclass(frozen=True, slots=True)
class Cells:
    """How one layout writes the answers to one question."""

    column: str
    """The column, as the crosswalk names it."""
    cells: Mapping[State, tuple[str, ...]]
    """State -> the cells that mean it, as the wave's coding or map lists them."""

    def has(self, reason: Missing) -> bool:
        """Say whether there is a cell for a reason."""
        return reason.value in self.cells

    @property
    def valid(self) -> list[str]:
        """List the cells that mean a value: of an item the lowest first, of a variable in the order of its map."""
        values = [state for state in self.cells if state not in REASONS]
        values.sort(key=lambda state: state if isinstance(state, int) else 0)
        return [cell for state in values for cell in self.cells[state]]

    def write(self, states: Iterable[State], rng: np.random.Generator) -> list[str]:
        """Write states as cells: one at random where several mean the same, a blank for a reason without a cell.

        Raises
        ------
        StudyError
            If a value has no cell.
        """
        written = []
        for state in states:
            choice = self.cells.get(state, ("",) if state in REASONS else ())
            if not choice:
                raise StudyError.at(
                    f"column `{self.column}`",
                    f"no cell means `{state}`, so it cannot be written",
                    "add one to the coding or map in wave.yaml, or ask for no such answer in demo.yaml",
                )
            written.append(choice[0] if len(choice) == 1 else choice[int(rng.integers(len(choice)))])
        return written


def cells_of(part: DemoPart, layout: str, name: str, *, numeric: bool = False) -> Cells | None:
    """Find how a layout writes an item, a variable or `organisation`; None where it does not ask.

    Parameters
    ----------
    numeric
        Take the numbers where a variable's map has numbers and words for a level (otherwise the words).
    """
    source = part.harmonising.organisation if name == ORGANISATION else part.harmonising.variables.get(name)
    if isinstance(source, VariableSource):
        column = source.columns.get(layout)
        return None if column is None else Cells(column, _prefer(_backwards(source.map), numeric=numeric))
    row = next((row for row in part.harmonising.crosswalk if row.item == name), None)
    if row is None or layout not in row.columns:
        return None
    coding = part.harmonising.codings[row.coding or part.layouts[layout].coding or ""]
    return Cells(row.columns[layout], _backwards(coding.values))


def points_of(part: DemoPart, item: str) -> int:
    """Count the response options that a wave asks an item with."""
    row = next(row for row in part.harmonising.crosswalk if row.item == item)
    layout = next(iter(row.columns))
    coding = part.harmonising.codings[row.coding or part.layouts[layout].coding or ""]
    return part.response_scales[coding.response_scale].points


def _backwards(meanings: Mapping[str, int | str]) -> dict[State, tuple[str, ...]]:
    found: defaultdict[State, list[str]] = defaultdict(list)
    for cell, state in meanings.items():
        found[state.value if isinstance(state, Missing) else state].append(cell)
    return {state: tuple(cells) for state, cells in found.items()}


def _prefer(cells: Mapping[State, tuple[str, ...]], *, numeric: bool) -> dict[State, tuple[str, ...]]:
    return {
        state: tuple(cell for cell in choice if cell.isdecimal() is numeric) or choice
        for state, choice in cells.items()
    }
