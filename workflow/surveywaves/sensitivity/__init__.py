"""Sensitivity: what every contrast becomes when the analysis is done another way.

`compare` does all of it side by side and says how many ways reach the decision of the main analysis; `variants` lists
the ways; `setting` has what each changes: who is compared, weighted how, by which answers.
"""
