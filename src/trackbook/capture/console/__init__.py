"""Recorder of a run's console, as a terminal would show it."""
