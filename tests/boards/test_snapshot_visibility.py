from __future__ import annotations

import re

import pytest

from trackbook.boards import snapshot_visibility


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_visibility, "built_file", lambda file: f"// {file}")


def test_note_names_its_session_and_carries_its_script(built: None) -> None:
    note = snapshot_visibility.snapshot_note("abc")
    assert note.startswith('<div class="tb-page" data-trackbook-session="abc"></div><style class="tb-note">')
    assert note.endswith("</style><script>// fallback.js</script>")


def test_rules_nest_no_has_in_has_which_browsers_refuse() -> None:
    depth = 0
    for part in re.findall(r":has\(|\(|\)", snapshot_visibility.RULES):
        depth = depth + 1 if part == ":has(" or (depth and part == "(") else max(0, depth - 1)
        assert not (part == ":has(" and depth > 1)


def test_session_cannot_break_out_of_its_attribute(built: None) -> None:
    assert '"><script>alert' not in snapshot_visibility.snapshot_note('"><script>alert(1)</script>')
