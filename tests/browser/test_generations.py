"""What evaluations of language models show: long names, tables of generations, and traces, of two runs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

import trackbook as tb
from browser.lab import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

RUNS = [f"llama-3-8b-instruct-grpo-lora-r16-alpha32-bf16-seed{seed}" for seed in range(10)]
COMPLETION = "\n".join(f"Step {step}: {step * 17}" for step in range(80)) + "\nthe end"
ROWS = [["What is 17 * 23?", COMPLETION, 0.5], ["مرحبا", "كان يا ما كان في قديم الزمان " * 9, 0.25]]
IS_CUT = """(name) => {
    const text = document.createRange();
    text.selectNodeContents(name);
    return text.getBoundingClientRect().width > name.getBoundingClientRect().width;
}"""
HEIGHTS = "(all) => all.map((it) => it.clientHeight)"
IN_SIGHT = """(end) => {
    const { left, right } = end.getBoundingClientRect();
    const place = end.parentElement.getBoundingClientRect();
    return left >= place.left && right <= place.right + 1;
}"""


@pytest.fixture
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("generations")
    monkeypatch.setenv("TRACKBOOK_DIR", str(folder))
    for name in RUNS:
        with tb.init(project="generations", name=name, display=False, capture=False) as run:
            for step in range(100):
                run.log(
                    {
                        "train/loss": 1e4
                        if step == 60
                        else float("nan")
                        if step > 80
                        else 2.5 - step / 50 + len(name) / 7
                    }
                )
            if name in RUNS[:2]:
                messages = [{"role": "user", "content": f"Question {n}\n\n{COMPLETION}"} for n in range(9)]
                table = tb.Table(columns=["prompt", "completion", "reward"], data=ROWS)
                run.log({"eval/generations": table, "eval/trace": tb.Trace(messages)})
    path = folder / "page.html"
    tb.export_html(path, "generations")
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(path.as_uri())
    yield page
    context.close()


def test_generations_of_two_runs_are_read_side_by_side(page: Page) -> None:
    page.locator(".tb-runs-button").click()
    ends = page.locator(".tb-runs-name > .tb-cut-end")
    expect(ends).to_have_count(len(RUNS))
    assert ends.evaluate_all(f"(all) => all.every({IN_SIGHT})")
    remarks = page.locator(".tb-chart .tb-remarks", has_text="outside")
    for width in range(1000, 1400, 40):
        page.set_viewport_size({"width": width, "height": 1000})
        expect(remarks).to_have_count(1)
        assert not page.locator(".tb-chart .tb-metric").first.evaluate(IS_CUT), width
    page.locator(".tb-side-line .tb-panel-close").click()

    tables = page.locator(".tb-media-table")
    expect(tables).to_have_count(2)
    for table in tables.all():
        table.scroll_into_view_if_needed()
        table.locator(".tb-media-table-row").first.click()
        expect(table.locator(".tb-media-reader [role=definition]").nth(1)).to_have_text(COMPLETION, use_inner_text=True)
        body = table.locator(".tb-media-reader-body")
        body.evaluate("(it) => { it.scrollTop = it.scrollHeight; }")
        assert body.evaluate("(it) => it.scrollTop > 0")
        expect(body.get_by_text("reward")).to_be_in_viewport()

    trace = page.locator(".tb-media", has=page.locator(".tb-media-trace"))
    trace.locator(".tb-media-enlarge").click()
    large = page.locator("dialog[open] .tb-media-trace")
    expect(large).to_have_count(2)
    assert min(large.evaluate_all(HEIGHTS)) > 600
