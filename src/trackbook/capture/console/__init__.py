"""The console of a run, as a terminal would show it."""
