"""YAML files of SwanLab and MLflow, read by PyYAML, which both bring along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def read_yaml(path: Path, lost: Callable[[str], None]) -> dict[str, Any]:
    """Return the mapping of a file; an empty one, and tell `lost` why, when it cannot be read."""
    try:
        import yaml
    except ImportError:
        lost(f"{path} needs PyYAML to be read: pip install pyyaml, and import again")
        return {}
    try:
        found = yaml.safe_load(path.read_text("utf-8", errors="backslashreplace"))
    except (yaml.YAMLError, OSError, RecursionError, ValueError) as error:
        lost(f"{path} cannot be read: {' '.join(str(error).split())}")
        return {}
    return {str(name): value for name, value in found.items()} if isinstance(found, dict) else {}
