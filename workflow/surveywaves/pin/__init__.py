"""Freezing the results of a publication, and proving later that they still come out the same."""
