from __future__ import annotations

import inspect

import pytest

import trackbook
from trackbook.media import PLACES


def test_all_lists_the_public_names() -> None:
    public = {
        name
        for name, thing in vars(trackbook).items()
        if not name.startswith("_")
        and not inspect.ismodule(thing)
        and name not in {"annotations", "TYPE_CHECKING", "Any", "load_ipython_extension"}
    }
    assert public == set(trackbook.__all__) - {"Board", *PLACES}  # which are imported when they are first asked for


@pytest.mark.parametrize("name", trackbook.__all__)
def test_public_names_have_docstrings(name: str) -> None:
    assert inspect.getdoc(getattr(trackbook, name))


def test_the_version_is_the_distributions() -> None:
    from importlib.metadata import version

    assert trackbook.__version__ == version("trackbook")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        trackbook.nope  # noqa: B018
