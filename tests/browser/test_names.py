"""Any name of a metric, run or project is shown literally, and injects nothing."""

from __future__ import annotations

from browser.lab import Lab

HOSTILE = [
    "<img src=x onerror=window.pwned=1>",
    "<script>window.pwned=1</script>",
    "\"><svg onload=window.pwned=1>'",
    "a.b[c]['d'].e\\.f",
    "datum['x']",
    "${window.pwned=1}",
    "{{window.pwned=1}}",
    "__proto__",
    "constructor",
    "toString",
    "a/b/c/d",
    "100 % & more; #1 = \"yes\" 'no' `maybe`",
    "\N{OTTER} naïve 損失 \N{WOMAN}\N{ZERO WIDTH JOINER}\N{ROCKET}",
    "x" * 500,
]

PROGRAM = """
import trackbook as tb

names = {names!r}
run = tb.init(project={project!r}, name={project!r})
for i in range(20):
    run.log({{name: i * (k + 1) for k, name in enumerate(names)}})
tb.finish()
"""


def test_hostile_metric_names_are_drawn_as_they_are(lab: Lab) -> None:
    lab.set_size(1280, 3000)
    lab.write_and_open("metrics", PROGRAM.format(names=HOSTILE, project="names"))
    lab.run_to_end(0)
    board = lab.board().wait()
    board.look("names")
    assert sorted(board.metrics()) == sorted(HOSTILE)
    for k, name in enumerate(HOSTILE):
        rows = [(row["step"], row["value"]) for row in board.rows(name)]
        assert rows == [(i, i * (k + 1)) for i in range(20)], name
    nothing_was_injected(lab)


def test_hostile_project_and_run_names_are_shown_as_they_are(lab: Lab) -> None:
    lab.write_and_open("projects", "".join(PROGRAM.format(names=["loss"], project=name) for name in HOSTILE))
    lab.run_to_end(0)
    for k, name in enumerate(HOSTILE):
        board = lab.board(view=k).wait()
        assert board.root.get_attribute("data-project") == name
        assert board.runs() == [name]
        assert board.steps("loss") == list(range(20))
    nothing_was_injected(lab)


def test_a_long_name_is_copied_whole_where_it_is_cut(lab: Lab) -> None:
    name = "llama-3-8b-instruct-grpo-lora-r16-bf16-seed0"
    lab.write_and_open("copied", PROGRAM.format(names=["loss"], project=name))
    lab.run_to_end(0)
    found = lab.board().wait().root.locator(".tb-header .tb-cut, .tb-top .tb-cut").first
    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for part, copied in ((".tb-cut-start, .tb-cut-end", name), (".tb-cut-end", "-r16-bf16-seed0")):
        lab.page.evaluate(
            """([name, parts]) => {
                const found = name.querySelectorAll(parts);
                getSelection().setBaseAndExtent(found[0], 0, found[found.length - 1], 1);
            }""",
            [found.element_handle(), part],
        )
        lab.page.keyboard.press("ControlOrMeta+c")
        assert lab.page.evaluate("navigator.clipboard.readText()") == copied
    assert found.evaluate("(name) => getComputedStyle(name).display") == "flex"


def nothing_was_injected(lab: Lab) -> None:
    assert lab.page.evaluate("() => [window.pwned, ({}).value, Object.keys(Object.prototype)]") == [None, None, []]
    assert lab.page.locator(".tb-board img, .tb-board script").count() == 0
    assert lab.dialogs == []
