"""A raw column: its distinct texts once, and for each cell the number of its text.

Survey columns hold few distinct texts many times over. Whatever is done to the texts (trimming, naming, checking) is
done once a text; a cell costs four bytes, whatever it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

BLANK = -1
"""The number of a blank cell."""


@dataclass(frozen=True, slots=True)
class Column:
    """Cells of one raw column.

    Parameters
    ----------
    codes
        int32, one a cell: place of its text in `texts`, -1 where it is blank.
    texts
        Arrow string array: distinct, none null, none blank, no white space at either end.
    """

    codes: NDArray[np.int32]
    texts: Any

    @classmethod
    def of(cls, cells: Iterable[str | None]) -> Column:
        """Encode cells one by one (what comes from a worksheet or from the csv module)."""
        return cls.of_arrow(pa.array(cells, type=pa.string()))

    @classmethod
    def of_arrow(cls, cells: Any) -> Column:
        """Encode an Arrow array of strings or of a dictionary of strings, chunked or not."""
        if pa.types.is_dictionary(cells.type):
            if isinstance(cells, pa.ChunkedArray):
                cells = cells.unify_dictionaries().combine_chunks()
        else:
            cells = pc.dictionary_encode(cells)
            if isinstance(cells, pa.ChunkedArray):
                cells = cells.combine_chunks()
        if isinstance(cells, pa.ChunkedArray):  # what combine_chunks makes of no chunk at all
            cells = pa.array([], type=cells.type) if cells.num_chunks == 0 else cells.chunk(0)
        codes = cells.indices.fill_null(BLANK).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
        return cls.encoded(codes, cells.dictionary)

    @classmethod
    def encoded(cls, codes: NDArray[np.int32], texts: Any) -> Column:
        """Take codes with the texts that they count; texts may be null, blank, untrimmed and repeat themselves."""
        trimmed = pc.utf8_trim_whitespace(pc.cast(texts, pa.string()))
        blank = pa.scalar(None, pa.string())
        distinct = pc.dictionary_encode(pc.replace_with_mask(trimmed, pc.equal(trimmed, ""), blank))
        if len(distinct.dictionary) == len(texts):
            return cls(codes, distinct.dictionary)
        lookup = np.append(distinct.indices.fill_null(BLANK).to_numpy(zero_copy_only=False), BLANK)
        return cls(lookup.astype(np.int32)[codes], distinct.dictionary)

    @classmethod
    def blank(cls, length: int) -> Column:
        """Make a column without content."""
        return cls(np.full(length, BLANK, dtype=np.int32), pa.array([], type=pa.string()))

    @classmethod
    def join(cls, parts: Sequence[Column]) -> Column:
        """Put columns under each other."""
        if len(parts) == 1:
            return parts[0]
        starts = np.cumsum([0, *(len(part.texts) for part in parts[:-1])])
        codes = np.concatenate(
            [
                np.where(part.codes == BLANK, BLANK, part.codes + start).astype(np.int32)
                for part, start in zip(parts, starts, strict=True)
            ]
        )
        return cls.encoded(codes, pa.concat_arrays([part.texts for part in parts]))

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def filled(self) -> NDArray[np.bool_]:
        """Say of each cell whether anything stands in it."""
        return np.not_equal(self.codes, BLANK)

    def take(self, places: NDArray[np.intp] | NDArray[np.bool_]) -> Column:
        """Keep some of the cells (the texts all stay)."""
        return Column(self.codes[places], self.texts)

    def text(self, place: int) -> str:
        """Give the text of one cell, "" where it is blank."""
        code = int(self.codes[place])
        return "" if code == BLANK else str(self.texts[code].as_py())

    def listed(self) -> list[str]:
        """List the distinct texts."""
        return [str(text) for text in self.texts.to_pylist()]

    def with_texts(self, texts: Sequence[str | None]) -> Column:
        """Put other texts in the place of `texts`, one for one."""
        return Column.encoded(self.codes, pa.array(texts, type=pa.string()))

    def spelled(self) -> Any:
        """Spell every cell out, as an Arrow array of (large) strings; a blank is null."""
        indices = pa.array(self.codes, mask=self.codes == BLANK)
        return pc.take(pc.cast(self.texts, pa.large_string()), indices)
