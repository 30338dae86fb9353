"""Runs, and the project that holds them."""
