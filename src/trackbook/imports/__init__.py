"""Runs of other trackers, read from their own files: a module for each kind, and one table of kinds."""
