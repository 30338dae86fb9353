"""Facts of Jupyter and marimo."""
