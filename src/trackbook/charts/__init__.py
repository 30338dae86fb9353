"""Vega-Lite specs and Altair charts."""
