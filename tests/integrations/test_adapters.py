"""Following training calls, shown with a toy library that has all that libraries have: callbacks, submodules, loops inside loops."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import trackbook as tb
from interruptions import Interruption
from shells import Shell
from trackbook.integrations.adapters import ADAPTERS, active
from trackbook.integrations.patches import Patches
from trackbook.integrations.training import Call, Training, calls_go_to, followed

TOY = """
__version__ = "9.9"
loader_at_import = __loader__

class Model:
    def fit(self, losses, callbacks=(), *, start=0, error=None):
        '''Train.'''
        for epoch, loss in enumerate(losses, start):
            for callback in callbacks:
                callback(epoch, {"loss": loss})
        if error is not None:
            raise error
        return losses

class Search(Model):
    def fit(self, losses):
        return [Model().fit([loss]) for loss in losses]
"""


class Toy:
    """The adapter of the toy library; `breaks` names the part that fails."""

    breaks = ""
    error: BaseException = KeyError("no such key in this version")

    def patch(self, patches: Patches, module: ModuleType) -> None:
        patches.replace(module.Model, "fit", followed("toy_adapter", self.follow))
        patches.replace(module.Search, "fit", followed("toy_adapter", self.follow))
        self.fail("patch")

    def follow(self, call: Call) -> Iterator[None]:
        training = call.begin(config={"epochs": len(call.arguments["losses"]), "lr": 0.1, "unset": None})
        assert training is not None
        if "callbacks" in call.arguments or "Search" not in type(call.arguments["self"]).__name__:
            call.arguments["callbacks"] = [
                *call.arguments.get("callbacks", ()),
                lambda *told: self.log(training, *told),
            ]
        self.fail("before")
        yield
        if call.error is None:
            training.log({"length": len(call.result)})
        self.fail("after")

    def log(self, training: Training, epoch: int, logs: dict[str, float]) -> None:
        with training.safely():
            training.log(logs, epoch)
            self.fail("callback")

    def fail(self, where: str) -> None:
        if self.breaks == where:
            raise self.error


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    """The adapter of the module `toy_library`, which can be imported."""
    adapter = Toy()
    (tmp_path / "toy_library.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(ADAPTERS, "toy_library", "toy_adapter")
    monkeypatch.setitem(sys.modules, "trackbook.integrations.toy_adapter", adapter)
    yield adapter
    tb.autolog(False)
    sys.modules.pop("toy_library", None)


def library() -> Any:
    return importlib.import_module("toy_library")


def points(run: Any) -> list[tuple[str, int, float]]:
    return [(metric, step, value) for metric, step, value, _ in run.history().iter_rows()]


def state_of(module: Any) -> list[object]:
    return [
        vars(module.Model)["fit"],
        vars(module.Search)["fit"],
        list(sys.meta_path),
        module.__spec__.loader,
        vars(module.__loader__),
    ]


# --- what is followed, and for how long -----------------------------------------------------------------------------------


def test_training_of_an_imported_library_is_followed(toy: Toy) -> None:
    model = library().Model()
    with tb.init("p") as run, active(run) as activation:
        assert model.fit([3.0, 2.0]) == [3.0, 2.0]
    assert points(run) == [("loss", 0, 3.0), ("loss", 1, 2.0), ("length", 0, 2.0)]
    assert activation.metrics == {"loss", "length"}


def test_library_imported_later_is_followed(toy: Toy) -> None:
    with tb.init("p") as run, active(run):
        library().Model().fit([3.0])
    assert ("loss", 0, 3.0) in points(run)


def test_nothing_tells_of_adapters_after_their_end(toy: Toy) -> None:
    before = state_of(library())
    with active():
        assert state_of(library()) != before
    assert state_of(library()) == before


def test_import_while_active_leaves_the_module_as_any_other(toy: Toy) -> None:
    finders = list(sys.meta_path)
    with active():
        late = library()
        assert hasattr(late.Model.fit, "__wrapped__")
    assert late.loader_at_import is late.__loader__ is late.__spec__.loader
    assert (type(late.__loader__).__name__, "exec_module" in vars(late.__loader__)) == ("SourceFileLoader", False)
    assert sys.meta_path == finders
    assert not hasattr(late.Model.fit, "__wrapped__")


class Lazily:
    """A finder that puts the execution of the toy library off until it is used."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        spec = importlib.machinery.PathFinder.find_spec(name, path) if name == "toy_library" else None
        if spec is not None:
            assert spec.loader is not None
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


@pytest.mark.parametrize("active_before", [True, False])
def test_library_that_loads_lazily_is_not_loaded_by_us(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, active_before: bool
) -> None:
    monkeypatch.setattr(sys, "meta_path", [Lazily(), *sys.meta_path])
    late = None if active_before else library()
    with tb.init("p") as run, active(run):
        late = late or library()
        assert type(late).__name__ == "_LazyModule"
        late.Model().fit([1.0])
    assert (("loss", 0, 1.0) in points(run)) == active_before


def test_function_looks_like_the_original_one(toy: Toy) -> None:
    import inspect

    before = library().Model.fit
    with active():
        after = library().Model.fit
        assert (after.__doc__, after.__name__, inspect.signature(after)) == ("Train.", "fit", inspect.signature(before))


def test_traceback_in_a_notebook_is_the_librarys_own(toy: Toy, shell: Shell) -> None:
    shell.run("import trackbook as tb; tb.autolog(); import toy_library")
    said = shell.said("toy_library.Model().fit([1.0], error=ValueError('diverged'))")
    assert "toy_library.py" in said
    assert "training.py" not in said


@pytest.mark.slow
def test_interrupted_activation_is_cleaned_up_by_the_next_one(toy: Toy) -> None:
    before = state_of(library())

    def activate() -> None:
        with active():
            pass

    for number in itertools.count():
        interruption = Interruption(number)
        interruption.during(activate)
        activate()
        assert state_of(library()) == before, interruption.where
        if not interruption.happened:
            break
    assert number > 100


def test_activations_may_overlap(toy: Toy) -> None:
    original = library().Model.fit
    with tb.init("p") as run:
        tb.autolog()
        with active(run):
            tb.autolog(False)
            library().Model().fit([1.0])
        assert library().Model.fit is original
    assert ("loss", 0, 1.0) in points(run)


def test_autolog_twice_is_autolog_once(toy: Toy) -> None:
    original = library().Model.fit
    tb.autolog()
    tb.autolog()
    tb.autolog(False)
    assert library().Model.fit is original
    tb.autolog(False)


def test_wrapper_of_another_tool_stays_in_place(toy: Toy) -> None:
    model = library().Model
    original = model.fit
    with active():
        ours = model.fit
        model.fit = lambda self, losses: list(ours(self, losses))
    assert model.fit is not original
    assert model().fit([1.0]) == [1.0]
    assert tb.run is None


def test_nothing_is_imported_by_autolog() -> None:
    program = """
import sys
from trackbook import autolog
before = set(sys.modules)
autolog()
autolog(False)
print(set(sys.modules) - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# --- runs -------------------------------------------------------------------------------------------------------------------


def test_without_a_run_a_training_makes_its_own(toy: Toy) -> None:
    tb.autolog()
    library().Model().fit([1.0, 2.0])
    library().Model().fit([3.0])
    first, second = tb.runs()["id"]
    assert points(tb.get_run(first))[:2] == [("loss", 0, 1.0), ("loss", 1, 2.0)]
    assert points(tb.get_run(second))[:1] == [("loss", 0, 3.0)]
    assert tb.runs()["state"].to_list() == ["finished", "finished"]
    assert tb.get_run(first).config == {"epochs": 2, "lr": 0.1}


@pytest.mark.parametrize(
    ("error", "state"),
    [(ValueError("diverged"), "failed"), (KeyboardInterrupt(), "interrupted"), (tb.Stopped(), "interrupted")],
)
def test_own_run_ends_as_its_training(toy: Toy, error: BaseException, state: str) -> None:
    tb.autolog()
    with pytest.raises(type(error)):
        library().Model().fit([1.0], error=error)
    assert tb.runs()["state"].to_list() == [state]


@pytest.mark.parametrize("part", ["before", "after"])
def test_interrupt_in_our_own_code_ends_the_run(toy: Toy, part: str) -> None:
    toy.breaks, toy.error = part, KeyboardInterrupt()
    tb.autolog()
    with pytest.raises(KeyboardInterrupt):
        library().Model().fit([1.0])
    assert tb.runs()["state"].to_list() == ["interrupted" if part == "before" else "finished"]


def test_open_run_gets_the_training_and_stays_open(toy: Toy) -> None:
    run = tb.init("p", config={"lr": "mine"})
    tb.autolog()
    with pytest.raises(ValueError, match="diverged"):
        library().Model().fit([1.0], error=ValueError("diverged"))
    assert (run.state, run.config) == ("running", {"lr": "mine", "epochs": 1})
    run.finish()
    assert ("loss", 0, 1.0) in points(run)


def test_run_of_an_activation_precedes_the_current_one(toy: Toy) -> None:
    with tb.init("p") as run, tb.init("p", reinit="create_new") as current, active(run):
        library().Model().fit([1.0])
    assert points(current) == []
    assert ("loss", 0, 1.0) in points(run)


def test_run_that_was_finished_in_between_takes_no_more(toy: Toy) -> None:
    run = tb.init("p")
    with active(run):
        assert library().Model().fit([1.0, 2.0], [lambda epoch, _: run.finish() if epoch == 0 else None]) == [1.0, 2.0]
    assert points(run) == []


def test_training_within_a_training_is_not_followed(toy: Toy) -> None:
    with tb.init("p") as run, active(run):
        library().Search().fit([1.0, 2.0])
    assert points(run) == [("length", 0, 2.0)]


def test_training_within_a_trial_goes_to_its_run(toy: Toy) -> None:
    with tb.init("p") as run, tb.init("p", reinit="create_new") as trial, active(run), calls_go_to(trial):
        library().Model().fit([1.0])
    assert points(run) == []
    assert ("loss", 0, 1.0) in points(trial)


# --- steps ------------------------------------------------------------------------------------------------------------------


def test_second_training_in_a_run_goes_on_after_the_first(toy: Toy) -> None:
    with tb.init("p") as run, active(run):
        library().Model().fit([3.0, 2.0], start=1)
        library().Model().fit([1.5, 1.0], start=1)
    assert points(run)[:4] == [("loss", 1, 3.0), ("loss", 2, 2.0), ("loss", 3, 1.5), ("loss", 4, 1.0)]


def test_resumed_training_keeps_the_librarys_steps(toy: Toy) -> None:
    with tb.init("p") as run, active(run):
        library().Model().fit([3.0, 2.0])
        library().Model().fit([1.0], start=5)
        library().Model().fit([0.5])
    assert points(run)[:4] == [("loss", 0, 3.0), ("loss", 1, 2.0), ("loss", 5, 1.0), ("loss", 6, 0.5)]


def test_only_numbers_are_logged(toy: Toy) -> None:
    with tb.init("p") as run:
        Training.begin("toy_library", run).log({"loss": 1, "name": "adam", "none": None, "list": [1, 2]}, 3)
    assert points(run) == [("loss", 3, 1.0)]


def test_evaluation_after_a_training_is_added_to_its_run() -> None:
    training = Training.begin("toy_library", config={"lr": 0.1})
    training.log({"loss": 1.0}, 7)
    training.end()
    training.log({"eval/loss": 2.0}, 7)
    (row,) = tb.runs().iter_rows(named=True)
    assert points(tb.get_run(row["id"])) == [("loss", 7, 1.0), ("eval/loss", 7, 2.0)]
    assert row["state"] == "finished"


# --- what goes wrong ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["patch", "before", "callback", "after"])
def test_adapter_that_breaks_is_switched_off_with_one_warning(toy: Toy, part: str) -> None:
    toy.breaks = part
    original = library().Model.fit
    told: list[int] = []

    def train_twice(run: tb.Run) -> None:
        with active(run):
            for _ in range(2):
                assert library().Model().fit([1.0, 2.0], [lambda epoch, _: told.append(epoch)]) == [1.0, 2.0]
            assert library().Model.fit is original

    with tb.init("p") as run, pytest.warns(tb.TrackbookWarning) as warned:
        train_twice(run)
    assert told == [0, 1, 0, 1]
    assert len(warned) == 1
    assert "no longer follows toy_library 9.9" in str(warned[0].message)
    assert "KeyError: 'no such key in this version'" in str(warned[0].message)
    assert "log by hand" in str(warned[0].message)
    assert warned[0].filename == __file__


def test_adapter_that_failed_stays_off(toy: Toy) -> None:
    toy.breaks = "before"
    with pytest.warns(tb.TrackbookWarning, match="no longer follows"), active():
        library().Model().fit([1.0])
    original = library().Model.fit
    with active():
        assert library().Model.fit is original


def test_wrong_arguments_are_the_librarys_own_error(toy: Toy) -> None:
    tb.autolog()
    with pytest.raises(TypeError, match=r"Model\.fit\(\) got an unexpected keyword argument 'epoch'"):
        library().Model().fit([1.0], epoch=3)
    assert tb.run is None


def test_ended_run_of_the_user_is_said() -> None:
    with tb.init("p") as run:
        pass
    with pytest.warns(
        tb.TrackbookWarning, match=f"run '{run.name}' has finished, so this training by toy_library is not logged"
    ):
        Training.begin("toy_library", run)


def test_reloaded_library_is_followed_again(toy: Toy) -> None:
    with tb.init("p") as run, active(run):
        library().Model().fit([1.0])
        importlib.reload(library()).Model().fit([2.0])
    assert [value for metric, _, value in points(run) if metric == "loss"] == [1.0, 2.0]
    assert not hasattr(library().Model.fit, "__wrapped__")


def test_stop_that_raises_ends_the_training(toy: Toy) -> None:
    run = tb.init("p", stop="raise")
    tb.autolog()
    with pytest.raises(tb.Stopped):
        library().Model().fit([1.0, 2.0], [lambda *_: run.stop()])
    run.finish()
    assert points(run) == [("loss", 0, 1.0)]


def test_training_goes_on_when_no_run_can_be_opened(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trackbook.integrations.training.init", lambda **_: 1 / 0)
    tb.autolog()
    with pytest.warns(tb.TrackbookWarning, match="ZeroDivisionError"):
        assert library().Model().fit([1.0]) == [1.0]
