from __future__ import annotations

import pytest

from trackbook import page


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "front_end", lambda file: f"// {file}")


def test_a_page_names_its_session_and_brings_its_script(built: None) -> None:
    assert page.page("abc") == (
        '<div class="tb-page" data-trackbook-session="abc"></div><script>// fallback.js</script>'
    )


def test_a_session_can_not_break_out_of_its_attribute(built: None) -> None:
    assert '"><script>alert' not in page.page('"><script>alert(1)</script>')
