"""Dialects of other trackers: `trackbook.compat.wandb`, `.trackio` and `.swanlab`, and `install`, which makes imports find them."""

from __future__ import annotations

from .installing import install, uninstall

__all__ = ["install", "uninstall"]
