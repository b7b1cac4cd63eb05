"""Interviews and observation beside the survey: coded segments in, themes, agreement and a joint display out."""
