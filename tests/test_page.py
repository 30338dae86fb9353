from __future__ import annotations

import pytest

from trackbook import _front_end, page


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "front_end", lambda file: f"// {file}")


def test_a_page_names_its_session_and_brings_its_script(built: None) -> None:
    assert page.page("abc") == (
        '<div class="tb-page" data-trackbook-session="abc"></div><script>// fallback.js</script>'
    )


def test_a_session_can_not_break_out_of_its_attribute(built: None) -> None:
    assert '"><script>alert' not in page.page('"><script>alert(1)</script>')


def test_a_front_end_that_is_not_built_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match="make setup"):
        _front_end.front_end("missing.js")
