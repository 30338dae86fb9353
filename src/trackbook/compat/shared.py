"""Names that wandb, Trackio and SwanLab have and Trackbook itself does not: the union of their modules.

``import trackbook as wandb`` has them, too. What Trackbook does not do yet says so (`unsupported`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import IO, Any

from .. import media
from ..alerting.levels import AlertLevel
from ..api.run import current_config, current_run, finish, log, open_run
from ..artifacts.artifact import Artifact
from ..media import echarts
from ..media import plots as plot
from ..media.overlays import Classes
from ..tracking import media_calls
from ..tracking.other_trackers import append_system
from ..tracking.run import writer_of
from ..tracking.unsupported import CALLS, call
from ..user_warnings import warn, warn_once
from . import trackio_context as context_vars
from .following import sync_mlflow, sync_tensorboard, sync_tensorboard_torch, sync_tensorboardX, sync_wandb
from .histories import import_csv, import_tf_events
from .reading import Api
from .stand_ins import TYPES, Callback, Error, Settings

__all__ = [
    "AlertLevel",
    "Api",
    "Artifact",
    "Callback",
    "Error",
    "Settings",
    "async_log",
    "context_vars",
    "ensure_configured",
    "get_config",
    "has_run",
    "import_csv",
    "import_tf_events",
    "join",
    "log_artifact",
    "log_cpu",
    "log_gpu",
    "log_model",
    "log_system",
    "login",
    "merge_callbacks",
    "merge_settings",
    "register_callbacks",
    "require",
    "restore",
    "save",
    "setup",
    "sync_mlflow",
    "sync_tensorboard",
    "sync_tensorboardX",
    "sync_tensorboard_torch",
    "sync_wandb",
    "teardown",
    "termerror",
    "termlog",
    "termsetup",
    "termwarn",
    "use_artifact",
    "use_model",
    "watch",
]
_CURVES = ("roc_curve", "pr_curve", "confusion_matrix")
_MEDIA = [name for name in media.PLACES if name != "Chart"]  # which no other tracker has
__all__ += ["Classes", "echarts", "plot"]
__all__ += list(TYPES) + list(CALLS) + list(_MEDIA) + list(media_calls.CALLS) + list(_CURVES)

join = finish
get_config = current_config
termsetup = setup = ensure_configured = require = lambda *_, **__: None
globals().update(TYPES | {name: call(name) for name in CALLS})
globals().update({name: media.media_type(name) for name in _MEDIA})
globals().update({name: media_calls.call(name, log) for name in media_calls.CALLS})
globals().update({name: getattr(plot, name) for name in _CURVES})


def login(*_: Any, **__: Any) -> bool:
    """Return True: there is nothing to log in to."""
    warn_once("login() does nothing: trackbook has no accounts, and keeps runs on this machine")
    return True


def merge_settings(*_: Any, **__: Any) -> None:
    """Ignore settings."""
    warn_once("merge_settings() does nothing: trackbook's settings are keywords of init")


def register_callbacks(*_: Any, **__: Any) -> None:
    """Ignore callbacks."""
    warn_once("register_callbacks() does nothing: trackbook has no callbacks")


merge_callbacks = register_callbacks


def has_run() -> bool:
    """Whether a run is open."""
    return current_run() is not None


def async_log(func: Callable[..., Any], /, *given: Any, **options: Any) -> Any:
    """Log what `func` returns, as SwanLab does in the background: here at once, unless `func` is a coroutine function."""
    run = current_run()
    if run is None:
        raise RuntimeError("trackbook.async_log() needs a run, and no run is open; call init(...) first")
    return run.async_log(func, *given, **options)  # type: ignore[attr-defined]  # of other trackers


def teardown(exit_code: int | None = None) -> None:
    """End the current run."""
    finish(exit_code=exit_code)


def termlog(message: str = "", *_: Any, **__: Any) -> None:
    """Write a line to stderr."""
    print(f"trackbook: {message}", file=sys.stderr)  # noqa: T201  # what the caller asks for


termwarn = termerror = termlog


def watch(
    models: Any, criterion: Any = None, log: Any = "gradients", log_freq: int | None = None, **other: Any
) -> None:
    """Log the norms of models' gradients or parameters in the current run. See `trackbook.Run.watch`.

    What cannot be watched is left alone with a warning. `criterion` has no effect.
    """
    run = current_run()
    if run is None:
        raise RuntimeError("trackbook.watch() needs a run, and no run is open; call init(...) first")
    if isinstance(criterion, str):
        log = criterion  # as `run.watch` takes it
    for model in models if isinstance(models, (list, tuple)) else [models]:
        try:
            run.watch(model, log or "gradients", log_freq=log_freq, **other)
        except (TypeError, ValueError) as error:
            warn(str(error))


def log_system(metrics: dict[str, Any]) -> None:
    """Record system metrics of the current run, by time, beside those that are recorded by themselves."""
    run = current_run()
    if run is None:
        raise RuntimeError("trackbook.log_system() needs a run, and no run is open; call init(...) first")
    append_system(writer_of(run), metrics)


def save(glob_str: Any = None, *given: Any, **other: Any) -> list[str]:
    """Keep the files that a glob matches in the current run. See `trackbook.Run.save`."""
    return open_run("save()").save(glob_str, *given, **other)


def restore(name: str, run_path: str | None = None, replace: bool = False, root: str | None = None) -> IO[str]:
    """Bring back a file that a run saved, by default the current one, and open it. `run_path` is ``project/run``."""
    run: Any = open_run("restore()") if run_path is None else Api().run(run_path)
    return open(run.restore(name, root or ".", replace), encoding="utf-8")  # noqa: PTH123  # the caller closes it


def log_artifact(path_or_artifact: Any = None, *given: Any, **other: Any) -> Artifact:
    """Keep a version of an artifact of the current run. See `trackbook.Run.log_artifact`."""
    return open_run("log_artifact()").log_artifact(path_or_artifact, *given, **other)


def use_artifact(name: Any = None, *given: Any, **other: Any) -> Artifact:
    """Return a version of an artifact that the current run uses. See `trackbook.Run.use_artifact`."""
    return open_run("use_artifact()").use_artifact(name, *given, **other)


def log_model(path: Any, name: str | None = None, aliases: Any = None, **other: Any) -> Artifact:
    """Keep a file or folder as an artifact of the type ``model``."""
    return open_run("log_model()").log_model(path, name, aliases, **other)  # type: ignore[attr-defined, no-any-return]  # of other trackers


def use_model(name: str) -> str:
    """Bring the files of a model back, and return their path."""
    return open_run("use_model()").use_model(name)  # type: ignore[attr-defined, no-any-return]  # of other trackers


def log_gpu(*_: Any, **__: Any) -> dict[str, float]:
    """Record nothing more: GPUs are recorded by themselves."""
    warn_once("log_gpu() does nothing: trackbook records GPUs by itself, unless capture= leaves out system")
    return {}


def log_cpu(*_: Any, **__: Any) -> dict[str, float]:
    """Record nothing more: processors and memory are recorded by themselves."""
    warn_once("log_cpu() does nothing: trackbook records processors by itself, unless capture= leaves out system")
    return {}
