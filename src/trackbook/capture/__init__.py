"""Recorders of a run's console, cells, environment and system metrics."""
