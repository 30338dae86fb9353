"""Prints the lowest versions that pyproject.toml allows as constraints for pip: `make unit-lowest` installs them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def constraints(requirements: Iterable[str]) -> Iterator[str]:
    """Yield ``name==lowest`` of each that has a lower bound; pip refuses two bounds of one name that differ."""
    for text in requirements:
        requirement = Requirement(text)
        lowest = [bound.version for bound in requirement.specifier if bound.operator == ">="]
        marker = f"; {requirement.marker}" if requirement.marker else ""
        yield from (f"{canonicalize_name(requirement.name)}=={version}{marker}" for version in lowest)


def main() -> None:
    said = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
    project = said["project"]
    extras = project["optional-dependencies"].values()
    named = [
        *project["dependencies"],
        *(each for extra in extras for each in extra),
        *said["dependency-groups"]["unit"],
    ]
    print("\n".join(sorted(set(constraints(named)))))


if __name__ == "__main__":
    main()
