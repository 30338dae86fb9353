from __future__ import annotations

import pytest

from trackbook.boards.built_files import built_file


def test_missing_front_end_is_an_error_with_the_remedy() -> None:
    with pytest.raises(RuntimeError, match="make setup"):
        built_file("missing.js")
