"""Dialects of other trackers."""
