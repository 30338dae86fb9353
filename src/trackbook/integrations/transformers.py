"""For Transformers and TRL: importing this module makes ``report_to="trackbook"`` known, and gives the callback."""

from __future__ import annotations

from .patches import Patches
from .transformers_trainer import TrackbookCallback, register

__all__ = ["TrackbookCallback"]

register(Patches())
