"""Reproducible longitudinal analysis of repeated staff surveys."""
