"""README and documentation: their code runs, all names in them exist, and all public names are in them."""

from __future__ import annotations

import ast
import functools
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import trackbook
from trackbook.boards.view_state import TRAITS, View
from trackbook.integrations.adapters import ADAPTERS
from trackbook.magics import commands, parser
from trackbook.tracking.run_files import RunFiles

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
GUIDES = [page for page in PAGES if page.parent.name != "reference"]
REFERENCE = "\n".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OURS = {"tb", "trackbook", "run", "board"}  # what the pages call the package, a run and a board

# Runs blocks as the cells of one IPython session. A last line may end in a comment that says its value.
PROGRAM = """
import ast, json, sys, warnings
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
import trackbook

def stated(code):
    try:
        return ast.literal_eval(code.splitlines()[-1].partition("    # ")[2])
    except (SyntaxError, ValueError):
        return None

warnings.simplefilter("error", trackbook.TrackbookWarning)
shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
for code in json.load(sys.stdin):
    done = shell.run_cell(code)
    if not done.success:
        sys.exit(f"this block fails:\\n{code}")
    if (value := stated(code)) is not None and done.result != value:
        sys.exit(f"the value is {done.result!r}:\\n{code}")
"""


class Block(NamedTuple):
    language: str
    code: str


@functools.cache
def blocks(page: Path) -> list[Block]:
    return [Block(*found) for found in FENCE.findall(page.read_text())]


@functools.cache
def spans(page: Path) -> list[str]:
    """The inline code of a page."""
    return re.findall(r"`([^`\n]+)`", FENCE.sub("", page.read_text()))


@functools.cache
def code_of_guides() -> list[str]:
    return [text for page in GUIDES for text in [*spans(page), *(block.code for block in blocks(page))]]


def table(page: Path, head: str) -> list[str]:
    """The names in the first column of the table with this heading."""
    rows = page.read_text().partition(f"| {head} | ")[2].partition("\n\n")[0].splitlines()[2:]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


@functools.cache
def calls(code: str) -> list[ast.Call]:
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a command, a magic, an expression with an arrow
        return []
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def name_of(call: ast.Call) -> str:
    """The name of a function of ours that is called; empty for others."""
    if isinstance(call.func, ast.Name):
        return call.func.id
    is_ours = isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)
    return call.func.attr if is_ours and call.func.value.id in OURS else ""


def public(kind: type) -> list[str]:
    """The names of a class that users may use, as completion offers them, without those of its bases."""
    offered = trackbook.Board.__dir__(None) if kind is trackbook.Board else dir(kind)  # type: ignore[arg-type]
    return [name for name in offered if not name.startswith("_") and name in vars(kind)]


CLASSES = [trackbook.Artifact, RunFiles, trackbook.Run, trackbook.Board, trackbook.Config, trackbook.RunDiff]
FUNCTIONS = {name: thing for name in trackbook.__all__ if inspect.isfunction(thing := getattr(trackbook, name))}
METHODS = {
    f"{kind.__name__}.{name}": method
    for kind in CLASSES
    for name in public(kind)
    if inspect.isfunction(method := vars(kind)[name])
}
KEYWORDS: dict[str, set[str]] = {}  # of functions and methods of one name
for name, function in (FUNCTIONS | METHODS).items():
    KEYWORDS.setdefault(name.rpartition(".")[2], set()).update(inspect.signature(function).parameters)


# --- the code runs ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.stem)
def test_code_of_a_page_runs_from_top_to_bottom(page: Path, tmp_path: Path) -> None:
    code = [block.code for block in blocks(page) if block.language]
    if "sklearn" in "".join(code):
        pytest.importorskip("sklearn")
    environment = os.environ | {"TRACKBOOK_DIR": str(tmp_path / "store"), "IPYTHONDIR": str(tmp_path / "ipython")}
    del environment["TRACKBOOK_CAPTURE"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(code),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_every_block_is_python_a_cell_or_a_plain_command() -> None:
    assert {block.language for page in PAGES for block in blocks(page)} == {"python", "ipython", ""}
    commands_only = [block.code for page in PAGES for block in blocks(page) if not block.language]
    assert [code for code in commands_only if re.search(r"import |tb\.|%", code)] == []


# --- what is named exists -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_options_in_inline_code_exist(page: Path) -> None:
    for span in spans(page):
        for call in calls(span):
            if (name := name_of(call)) in KEYWORDS:
                unknown = {keyword.arg for keyword in call.keywords} - KEYWORDS[name]
                assert not unknown, f"{span}: {name} has no {unknown}"


def test_settings_in_inline_code_can_be_set() -> None:
    settings = re.findall(r"`board\.(\w+) = ([^`]+)`", "\n".join(page.read_text() for page in PAGES))
    assert settings
    for name, value in settings:
        View(**{name: ast.literal_eval(value)})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", FENCE.sub("", page.read_text())):
        if "://" not in target:
            path = page.parent / target
            in_site = ROOT / "notebooks" / path.name if path.parent.name == "notebooks" else path
            assert path.exists() or in_site.exists(), target


def test_environment_variables_are_those_of_the_documentation() -> None:
    said = {name for page in PAGES for name in re.findall(r"TRACKBOOK_[A-Z_]+", page.read_text())}
    settings = (ROOT / "src" / "trackbook" / "settings.py").read_text()
    assert said == set(re.findall(r"TRACKBOOK_[A-Z_]+", settings))
    assert set(table(DOCS / "storage.md", "variable")) == said


def test_options_of_init_are_those_of_its_table() -> None:
    parameters = inspect.signature(trackbook.init).parameters.values()
    named = [each.name for each in parameters if each.kind is not each.VAR_KEYWORD]
    assert sorted(table(DOCS / "logging.md", "option")) == sorted(named)


def test_settings_of_a_board_are_those_of_its_table() -> None:
    assert sorted(table(DOCS / "boards.md", "attribute")) == sorted(TRAITS)


def test_training_libraries_are_those_of_their_table() -> None:
    rows = (DOCS / "integrations.md").read_text().partition("| library |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [row.split("|") for row in rows]
    followed = {cells[1].strip(" `") for cells in cells if cells[2].strip()}
    assert followed == {module.partition(".")[0].replace("pytorch_", "") for module in ADAPTERS}
    for _, library, _, callback, *_ in cells:
        module = ROOT / "src" / "trackbook" / "integrations" / f"{library.strip(' `')}.py"
        found = re.findall(r"\bTrackbook\w+", module.read_text())
        assert not callback.strip() or callback.strip(" `") in found, f"{module.name} has no {callback}"
    imports = re.findall(r"^`from trackbook\.integrations\.(\w+) import (\w+)`$", REFERENCE, re.MULTILINE)
    assert sorted(imports) == sorted(
        (cells[1].strip(" `"), cells[3].strip(" `")) for cells in cells if cells[3].strip()
    )


def test_options_of_track_are_those_of_its_page() -> None:
    text = (DOCS / "track-magic.md").read_text()
    parsers = [parser.cell_parser(), *map(commands.parser, commands.COMMANDS)]
    options = {option for each in parsers for option in each.options}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) | {"-h"} == options
    assert {f"--{name.lstrip('-')}" for name in parser.cell_parser().options if len(name) > 2} == {
        word
        for name in table(DOCS / "track-magic.md", "option of `%%track`")
        for word in re.findall(r"--[a-z-]+", name)
    }


def test_commands_of_track_are_those_of_its_table() -> None:
    named = [name.split()[1] for name in table(DOCS / "track-magic.md", "command") if name.startswith("%track ")]
    assert named == list(commands.COMMANDS)


# --- what is public is documented ---------------------------------------------------------------------------------------


def test_reference_has_every_public_name_and_no_other() -> None:
    listed = re.findall(r"^::: trackbook\.(\w+)$", REFERENCE, re.MULTILINE)
    assert sorted(listed) == sorted(trackbook.__all__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_is_in_a_guide(name: str) -> None:
    assert re.search(rf"\b{name}\b", "\n".join(code_of_guides()))


@pytest.mark.parametrize("name", FUNCTIONS | METHODS)
def test_option_is_documented(name: str) -> None:
    """Each parameter stands in its docstring, which the reference shows, or in a call in a guide."""
    function = (FUNCTIONS | METHODS)[name]
    short = name.rpartition(".")[2]
    in_calls = {
        keyword.arg
        for text in code_of_guides()
        for call in calls(text)
        if name_of(call) == short
        for keyword in call.keywords
    }
    said = inspect.getdoc(function) or ""
    for parameter in inspect.signature(function).parameters.keys() - {"self"} - in_calls:
        pattern = rf"`{parameter}\b|^(\w+, )*{parameter}(, \w+)*$|\b{parameter}="
        assert re.search(pattern, said, re.MULTILINE), f"neither docstring nor guide of {name} says what {parameter} is"


@pytest.mark.parametrize("kind", CLASSES)
def test_attribute_of_a_class_is_documented(kind: type) -> None:
    in_guides = set(re.findall(r"\.(\w+)", "\n".join(code_of_guides())))
    names = [name for name in public(kind) if name not in TRAITS and name not in in_guides]
    assert [name for name in names if not inspect.getdoc(getattr(kind, name))] == []


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= 600
