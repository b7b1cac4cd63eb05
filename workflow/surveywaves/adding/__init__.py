"""Adding a wave: what its raw files are and ask, held against a wave that is known, and a draft of its description.

Nothing here decides for a person. What the files say in words is taken; what could be two things is written down as an
open decision, and the study does not run until somebody has made it.
"""
