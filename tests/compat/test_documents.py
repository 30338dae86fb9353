"""The two documents that say how Trackio and SwanLab are used: each code block runs as it is, but for the import.

What a block leaves out (a model, a data loader) has a stand-in. Spaces are made at a local Hub, and runs sent to them arrive at a local server.
"""

from __future__ import annotations

import re
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

import trackbook as tb
from command_lines import CommandLine
from remote.fake_hub import FakeHub, User
from servers import SECONDS, Served
from trackbook.api.process import process
from trackbook.remote import space_files
from trackbook.remote.hub import Hub
from trackbook.remote.spaces import write_token
from trackbook.server import running
from trackbook.server.access import Access
from trackbook.types import RunRecord
from tracker_scripts import HOWS, How, run_script, tracker_module

FOLDER = Path(__file__).parent / "reference"
GUIDE = Path(__file__).parents[2] / "docs" / "pages.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TRACKIO = BLOCK.findall((FOLDER / "trackio-usage.zh.md").read_text("utf-8"))
SWANLAB = BLOCK.findall((FOLDER / "swanlab-log.zh.md").read_text("utf-8"))
LEFT_OUT = ", ...)"  # arguments that the document leaves out


def block(blocks: list[tuple[str, str]], beginning: str) -> str:
    """Return the block of Python that holds a text, in which no other block does."""
    (found,) = [code for language, code in blocks if language == "python" and beginning in code]
    return found


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let `show` return where it would wait for Ctrl-C, and stop its server after the test."""
    monkeypatch.setattr(running.Server, "wait", lambda _: None)
    yield
    if (server := running.running()) is not None:
        server.stop()


class Spaces:
    """A local Hub, and a server that does what its Spaces do."""

    def __init__(self, folder: Path) -> None:
        self.hub = FakeHub()
        self.hub.users["hf_writer"] = User("username")
        tokens = [write_token(Hub("hf_writer"), f"username/{name}") for name in ("trackio", "my-experiments")]
        self.server = Served(folder, Access(writers=tokens, is_public=True), takes_uploads=True)
        self.hub.host_of_new = self.server.address

    def wait_for(self, project: str) -> list[RunRecord]:
        """Return the runs of a project once they have ended in the Space, too."""
        until = time.monotonic() + SECONDS
        while True:
            runs = self.server.projects[project].store.runs() if project in self.server.projects else []
            if runs and all(run.state == "finished" for run in runs):
                return runs
            assert time.monotonic() < until, f"{runs} in the Space"
            time.sleep(0.05)

    def stop(self) -> None:
        process().uploads.close()
        self.server.close()
        self.hub.stop()


@pytest.fixture
def spaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spaces]:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(space_files, "is_from_source", lambda: False)
    made = Spaces(tmp_path / "space")
    monkeypatch.setenv("HF_ENDPOINT", made.hub.address)
    monkeypatch.setattr(constants, "ENDPOINT", made.hub.address)  # made of it when it was imported
    monkeypatch.setenv("HF_TOKEN", "hf_writer")
    yield made
    made.stop()


def trainer(how: How) -> dict[str, ModuleType]:
    """Return a `trl` whose trainer makes the calls of Transformers' TrackioCallback."""
    trl = ModuleType("trl")

    class SFTConfig:
        def __init__(self, output_dir: str, report_to: str) -> None:
            assert report_to == "trackio"
            self.output_dir, self.run_name = output_dir, None

    class SFTTrainer:
        def __init__(self, model: Any, args: SFTConfig) -> None:
            self.args = args

        def train(self) -> None:
            trackio = tracker_module("trackio", how)
            trackio.init(project="huggingface", name=self.args.run_name, space_id=None, resume="allow")
            trackio.config.update({"output_dir": self.args.output_dir}, allow_val_change=True)
            trackio.config["model/num_parameters"] = 10
            trackio.log({"train/loss": 0.5, "train/learning_rate": 1e-4, "train/global_step": 1})
            trackio.log({"eval/loss": 0.4, "eval/samples_per_second": 9.0, "train/global_step": 1})
            trackio.finish()

    vars(trl).update(SFTConfig=SFTConfig, SFTTrainer=SFTTrainer)
    return {"trl": trl}


# --- Trackio


def check_basic(_: dict[str, Any]) -> None:
    run = tb.get_run(project="my-project")
    assert run.config.to_json() == {"learning_rate": 0.001, "epochs": 10}
    assert run.state == "finished"
    wide = run.history(wide=True)
    assert wide["loss"].to_list() == [0.25] * 10
    assert wide["epoch"].to_list() == wide["step"].to_list() == list(range(10))


def check_show(_: dict[str, Any]) -> None:
    assert tb.runs("my-project")["state"].to_list() == ["finished"]
    server = running.running()
    assert server is not None
    assert server.is_running


def check_wandb(_: dict[str, Any]) -> None:
    run = tb.get_run(project="my-project")
    assert (run.state, run.history()["value"].to_list()) == ("finished", [0.5])


def check_options(_: dict[str, Any]) -> None:
    run = tb.get_run("run-name", "my-project")
    assert (run.record.group, run.state) == ("experiment-group", "finished")


def check_open(_: dict[str, Any]) -> None:
    assert tb.runs("my-project")["state"].to_list() == ["finished"]


def check_numbers(names: dict[str, Any]) -> None:
    assert dict(names["run"].summary) == {
        "train_loss": 0.5,
        "train_accuracy": 0.85,
        "val_loss": 0.4,
        "val_accuracy": 0.88,
        "epoch": 1,
    }


def check_groups(_: dict[str, Any]) -> None:
    assert [tuple(row) for row in tb.runs("my-project")["name", "group"].rows()] == [
        ("baseline-v1", "baseline"),
        ("augmented-v1", "augmented"),
    ]
    assert tb.runs("hyperparam-sweep")["group"].to_list() == ["lr_0.001", "lr_0.01"]


def check_config(_: dict[str, Any]) -> None:
    run = tb.get_run("baseline-lr2e5", "qwen-sft-capybara")
    assert run.config["learning_rate"] == 2e-5
    assert list(run.config) == ["model", "dataset", "learning_rate", "num_epochs", "batch_size"]


def check_trainer(_: dict[str, Any]) -> None:
    assert tb.get_run(project="sft-training").config["model"] == "Qwen/Qwen2.5-0.5B"
    run = tb.get_run(project="huggingface")
    assert set(run.summary) == {
        "train/loss",
        "train/learning_rate",
        "eval/loss",
        "eval/samples_per_second",
        "train/global_step",
    }
    assert run.config["model/num_parameters"] == 10


class Example(NamedTuple):
    holds: str  # a text that only this block has
    check: Callable[[dict[str, Any]], None]
    before: str = ""  # what the document has done before
    space: str = ""  # the Space that it makes
    sent: str = "my-project"  # the project that is there afterwards


LOGGED = "trackio.init(project='my-project')\ntrackio.log({'loss': 0.5})\ntrackio.finish()\n"

TRACKIO_EXAMPLES = [
    Example('config={"learning_rate": 0.001, "epochs": 10}', check_basic),
    Example('name="run-name"', check_options, space="username/trackio"),
    Example("# ... 训练 ...", check_show),
    Example("如果Space不存在则自动创建", check_open, space="username/trackio"),
    Example("trackio.sync(", check_wandb, LOGGED, space="username/my-experiments"),
    Example("import trackio as wandb", check_wandb),
    Example("from trl import", check_trainer, space="username/trackio", sent="sft-training"),
    Example('"train_accuracy": 0.85', check_numbers, "run = trackio.init(project='numbers')\n"),
    Example("# 按实验类型分组", check_groups),
    Example('"batch_size": 8', check_config),
]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("example", TRACKIO_EXAMPLES, ids=range(len(TRACKIO_EXAMPLES)))
def test_block_of_the_document_about_trackio(
    example: Example, how: How, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    spaces = request.getfixturevalue("spaces") if example.space else None
    code = example.before + block(TRACKIO, example.holds).replace(LEFT_OUT, ")")
    for name, module in trainer(how).items():
        monkeypatch.setitem(sys.modules, name, module)
    names = run_script(code, "trackio", how, train_epoch=lambda: 0.25, model=None)
    if spaces is not None:
        if (run := tb.run) is not None:
            run.finish()  # as the end of the script does
        assert [run.id for run in spaces.wait_for(example.sent)] == tb.runs(example.sent)["id"].to_list()
        assert spaces.hub.space(example.space).sdk == "docker"
    example.check(names)


def test_every_block_of_python_about_trackio_is_run() -> None:
    assert [code for language, code in TRACKIO if language == "python"] == [
        block(TRACKIO, example.holds) for example in TRACKIO_EXAMPLES
    ]


def test_command_of_the_document_about_trackio(trackbook_command: CommandLine) -> None:
    tb.init("my-project", display=False).finish()
    install, command = [code.strip() for language, code in TRACKIO if language == "bash"]
    assert install.startswith("pip install trackio\n")
    program, *words = shlex.split(command)
    assert program == "trackio"
    answer = trackbook_command(*words, "--no-browser")
    assert answer.code == 0, answer.err
    assert "project=my-project" in answer.err


def test_parameters_of_the_embedded_page_are_ours() -> None:
    (html,) = [code for language, code in TRACKIO if language == "html"]
    text = (FOLDER / "trackio-usage.zh.md").read_text("utf-8").partition("</iframe>")[2]
    said = {name for line in text.splitlines() if line.startswith("- ") for name in re.findall(r"`([a-z]+)`", line)}
    said -= {"hidden", "collapsed"}  # values
    assert set(re.findall(r"[?&](\w+)=", html)) < said == {"project", "metrics", "sidebar", "smoothing", "xmin", "xmax"}
    rows = GUIDE.read_text().partition("| parameter | meaning |")[2].partition("\n\n")[0]
    assert said <= set(re.findall(r"`(\w+)`", " ".join(row.split(" | ")[0] for row in rows.splitlines())))


# --- SwanLab

BEGIN = "run = swanlab.init(project='swans')\n"
LOADER = [(number, number) for number in range(3)]


def steps(run: tb.Run, metric: str) -> list[int]:
    return run.history(metric)["step"].to_list()


def check_loop(names: dict[str, Any]) -> None:
    assert names["run"].history()["value"].to_list() == [0.0] * 6
    assert steps(names["run"], "loss") == list(range(6))


def check_steps(names: dict[str, Any]) -> None:
    run = tb.get_run()
    assert steps(run, "loss") == [0, 1, 2]
    assert steps(run, "acc") == [0]
    assert steps(run, "iter") == [0, 1]


def check_prefixes(names: dict[str, Any]) -> None:
    metrics = tb.board("swans").metrics
    assert list(metrics) == ["train/loss", "train/batch_cost", "val/acc"]
    assert [name.partition("/")[0] for name in metrics] == ["train", "train", "val"]


def check_aligned(names: dict[str, Any]) -> None:
    run = names["run"]
    assert steps(run, "train/loss") == list(range(1001))
    assert steps(run, "val/acc") == [0, 1000]


def check_printed(names: dict[str, Any]) -> None:
    assert steps(names["run"], "acc") == [0]


SWANLAB_EXAMPLES = [
    Example("指标名为loss", check_loop, BEGIN),
    Example("swanlab.init()", check_steps),
    Example("# 分到train组", check_prefixes, BEGIN),
    Example("# 测试部分", check_aligned, BEGIN),
    Example("print_to_console=True", check_printed, BEGIN),
    Example("print(swanlab.log", check_printed, BEGIN),
]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("example", SWANLAB_EXAMPLES, ids=range(len(SWANLAB_EXAMPLES)))
def test_block_of_the_document_about_swanlab(example: Example, how: How, capsys: pytest.CaptureFixture[str]) -> None:
    code = block(SWANLAB, example.holds)
    names = {
        "num_epochs": 2,
        "dataloader": LOADER,
        "train_dataloader": [(0, 0)] * 1001,
        "model": lambda data: data,
        "loss_fn": lambda predict, truth: predict - truth,
        "val_trainer": lambda _: 0.75,
        "loss": 0.5,
        "acc": 0.25,
        "iter": 7,
        "batch_cost": 0.1,
    }
    example.check(run_script(example.before + code, "swanlab", how, **names))
    if "print" in code:
        assert capsys.readouterr().out == "{'acc': 0.25}\n"


def test_every_block_about_swanlab_is_run() -> None:
    assert [code for _, code in SWANLAB] == [block(SWANLAB, example.holds) for example in SWANLAB_EXAMPLES]


@pytest.mark.parametrize("how", HOWS)
def test_first_value_at_a_step_stays(how: How) -> None:
    swanlab = tracker_module("swanlab", how)
    run = swanlab.init(project="swans")
    swanlab.log({"acc": 1}, step=3)
    with pytest.warns(tb.TrackbookWarning, match="the first value stays"):
        swanlab.log({"acc": 2}, step=3)
    assert run.history()["value"].to_list() == [1.0]


@pytest.mark.parametrize("how", HOWS)
def test_text_is_tried_as_a_number_and_else_an_error(how: How) -> None:
    swanlab = tracker_module("swanlab", how)
    run = swanlab.init(project="swans")
    assert swanlab.log({"acc": "0.5"}) == {"acc": 0.5}
    with pytest.raises(TypeError, match="'good' is not a number"):
        swanlab.log({"acc": "good"})
    assert run.history()["value"].to_list() == [0.5]


def test_console_environment_and_times_are_recorded() -> None:
    """The last section of the document about SwanLab has no code."""
    swanlab = tracker_module("swanlab", "dialect")
    run = swanlab.init(project="swans", capture=["console", "environment"])
    print("to stdout")  # noqa: T201
    sys.stderr.write("to stderr\n")
    run.finish()
    console = run.console()
    assert {"stdout": "to stdout", "stderr": "to stderr"}.items() <= dict(
        zip(console["stream"], console["text"], strict=True)
    ).items()
    assert {"os", "cpu", "memory", "python", "process", "packages"} <= run.environment.keys()
    assert run.record.ended is not None
    assert run.record.ended >= run.record.started
