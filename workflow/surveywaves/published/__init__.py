"""Published tables: what they print, what they must have meant, and what may be said from them.

A printed table of counts and percentages holds the same numbers several times over: every count again as a
percentage, and their sum again as the base. Misprints therefore contradict something and can be found, and most of
them can be put right: `settle` searches for the counts and base that contradict the fewest printed cells. What the
arithmetic leaves open is decided by a person, with a reason, in a file (`apply_decisions`).
"""
