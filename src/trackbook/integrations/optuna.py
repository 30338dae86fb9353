"""Optuna: a run for each trial of `Study.optimize`, and a callback for it."""

from __future__ import annotations

import contextvars
import functools
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Final

import optuna

from ..api.run import current_run
from ..tracking.endings import state_after
from ..tracking.run import Run, writer_of
from .adapters import adapters, guard, say_failed
from .beside import open_beside
from .patches import Patches
from .training import Call, Training, calls_go_to, followed

REPORTED: Final = "intermediate_value"
_reporting: Final[contextvars.ContextVar[Run | None]] = contextvars.ContextVar("trackbook_trial", default=None)


class TrackbookCallback:
    """Records each trial as a run when it ends: ``study.optimize(objective, callbacks=[TrackbookCallback()])``.

    The run has the trial's parameters as config, its ``intermediate_value`` at the steps that were reported, and its ``value``, or for
    several objectives the names of ``study.metric_names``, else ``value_0`` and so on. Pruned trials have the tag ``pruned``. In a
    `run` that is open, ``value`` and ``best_value`` are logged over the trial's number.

    Parameters
    ----------
    run
        The run of the whole study, by default the current one. Without any the trials' runs stand alone.
    """

    def __init__(self, run: Run | None = None) -> None:
        self._run = run

    def __call__(self, study: Any, trial: Any) -> None:
        """Record a trial that has ended."""
        with guard(functools.partial(say_failed, "optuna")):
            parent = self._run or current_run()
            run = open_beside(parent, name=f"trial-{trial.number}", group=study.study_name, config=trial.params)
            for step, value in trial.intermediate_values.items():
                run.log({REPORTED: value}, step)
            _end(run, study, trial)
            values = _values(study, trial) | _best(study)
            if values and parent is not None and not parent.ended:
                parent.log(values, trial.number)


def _values(study: Any, trial: Any) -> dict[str, float]:
    """Return the values of a complete trial by their names. A pruned one has the last value that it reported."""
    values = trial.values if trial.state == optuna.trial.TrialState.COMPLETE else ()
    names = study.metric_names or (["value"] if len(values) == 1 else [f"value_{n}" for n in range(len(values))])
    return dict(zip(names, values, strict=False))


def _best(study: Any) -> dict[str, float]:
    if len(study.directions) > 1:
        return {}
    try:
        return {"best_value": study.best_value}
    except ValueError:  # no trial is complete yet
        return {}


def _end(run: Run, study: Any, trial: Any) -> None:
    """End a trial's run with its result."""
    states = optuna.trial.TrialState
    run.config.update(trial.params)
    if trial.state == states.PRUNED:
        run.tags = (*run.tags, "pruned")
    values = _values(study, trial)
    if values:
        run.log(values)
    run.finish("failed" if trial.state == states.FAIL else "finished")


class _Trials:
    """The runs of the trials of one `optimize` call, some of which may be under way in threads."""

    def __init__(self, study: Any, training: Training) -> None:
        self._study = study
        self._training = training
        self._open: dict[int, Run] = {}

    def objective(self, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @functools.wraps(function)
        def objective(trial: Any) -> Any:
            with ExitStack() as stack:
                with self._training.safely():
                    self._begin(trial, stack)
                try:
                    return function(trial)
                except optuna.TrialPruned:
                    raise
                except BaseException as error:
                    with self._training.safely():
                        run = self._open.pop(trial.number, None)
                        if run is not None:
                            run.config.update(trial.params)
                            writer_of(run).end(*state_after(error))
                    raise

        return objective

    def _begin(self, trial: Any, stack: ExitStack) -> None:
        name, group = f"trial-{trial.number}", self._study.study_name
        run = self._open[trial.number] = open_beside(self._training.run, name=name, group=group, config={})
        token = _reporting.set(run)
        stack.callback(_reporting.reset, token)
        stack.enter_context(calls_go_to(run))

    def ended(self, study: Any, trial: Any) -> None:
        """Handle the end of a trial, in the thread that ran it. A callback of `optimize`."""
        with self._training.safely():
            run = self._open.pop(trial.number, None)
            if run is not None:
                _end(run, study, trial)
            self._training.log(_values(study, trial) | _best(study), trial.number)
        if self._training.should_stop:
            study.stop()

    def close(self, error: BaseException | None) -> None:
        """End the runs of trials whose end nobody told."""
        while self._open:
            writer_of(self._open.popitem()[1]).end(*state_after(error or KeyboardInterrupt()))


def _optimize(call: Call) -> Iterator[None]:
    study, callbacks = call.arguments["self"], list(call.arguments.get("callbacks") or ())
    if any(isinstance(one, TrackbookCallback) for one in callbacks):
        yield
        return
    n_trials = call.arguments.get("n_trials")
    training = call.begin(
        config={
            "study_name": study.study_name,
            "directions": [one.name.lower() for one in study.directions],
            "sampler": type(study.sampler).__name__,
            "pruner": type(study.pruner).__name__,
            "n_trials": n_trials,
            "timeout": call.arguments.get("timeout"),
        },
        total=n_trials,
    )
    assert training is not None
    trials = _Trials(study, training)
    call.arguments["func"] = trials.objective(call.arguments["func"])
    call.arguments["callbacks"] = [trials.ended, *callbacks]
    yield
    trials.close(call.error)


def _report(report: Any) -> Any:
    """Return `Trial.report`, which also logs the value to the trial's run."""

    @functools.wraps(report)
    def reported(self: Any, value: float, step: int) -> None:
        report(self, value, step)
        run = _reporting.get()
        if run is not None and not run.ended and math.isfinite(step):
            with guard(functools.partial(adapters.switch_off, "optuna")):
                run.log({REPORTED: value}, step)

    return reported


def patch(patches: Patches, module: Any) -> None:
    """Follow `optimize` of all studies, and what their trials report."""
    patches.replace(module.Study, "optimize", followed("optuna", _optimize))
    patches.replace(module.Trial, "report", _report)
