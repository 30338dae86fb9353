"""SwanLab's `sync_wandb`, `sync_mlflow` and `sync_tensorboardX`: what a script logs to another tracker is logged here, too.

The other tracker's functions are wrapped, now or once it is imported. What fails here is said, and does not reach the script.
"""

from __future__ import annotations

import functools
import inspect
import sys
import weakref
from collections.abc import Callable, Collection
from types import ModuleType
from typing import Any, Final

from .. import media
from ..api.run import current_run
from ..api.run import init as begin
from ..integrations.import_watch import ImportWatch
from ..integrations.patches import Patches
from ..tracking.run import Run
from ..user_warnings import warn, warn_once
from .tracker_modules import TrackerModule

Arguments = dict[str, Any]  # of a call that is followed
Log = Callable[[Arguments, Any], None]  # is told them, and what the call returned

_STATES: Final = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "interrupted"}
_patches = Patches()
_watches: dict[str, ImportWatch] = {}  # by module that is followed, or will be
_begun: weakref.WeakKeyDictionary[Any, Run] = weakref.WeakKeyDictionary()  # by the other tracker's run or writer
_mlflow: list[tuple[Run, bool]] = []  # of the open runs of MLflow: ours, and whether it was begun here


def sync_tensorboardX(types: Collection[str] | None = None) -> None:  # noqa: N802  # SwanLab's name
    """Log what tensorboardX's writers are given: `types` are some of ``scalar``, ``scalars``, ``image`` and ``text``, by default all."""
    _follow("tensorboardX.writer", functools.partial(_patch_writer, types))


def sync_tensorboard_torch(types: Collection[str] | None = None) -> None:
    """Log what the writers of ``torch.utils.tensorboard`` are given. See `sync_tensorboardX`."""
    _follow("torch.utils.tensorboard.writer", functools.partial(_patch_writer, types))


def sync_tensorboard(types: Collection[str] | None = None) -> None:
    """Log what the writers of tensorboardX and ``torch.utils.tensorboard`` are given."""
    sync_tensorboardX(types)
    sync_tensorboard_torch(types)


def sync_mlflow(*_: Any, **__: Any) -> None:
    """Log the runs of MLflow: their metrics, parameters and ends."""
    _follow("mlflow.tracking.fluent", _patch_mlflow)


def sync_wandb(*_: Any, **__: Any) -> None:
    """Log the runs of wandb itself: their metrics, configs and ends."""
    if isinstance(sys.modules.get("wandb"), TrackerModule):
        warn_once("sync_wandb() does nothing: wandb is trackbook in this process")
    else:
        _follow("wandb", _patch_wandb)


def stop_following() -> None:
    """Give all functions back."""
    _patches.undo()
    for watch in _watches.values():
        watch.stop()
    _watches.clear()
    _mlflow.clear()


def _follow(name: str, patch: Callable[[ModuleType], None]) -> None:
    if name in _watches:
        return

    def imported(module: ModuleType) -> None:
        watch.stop()
        try:
            patch(module)
        except Exception as error:  # noqa: BLE001  # a later version; the import must not fail of it
            warn(f"{name} is not followed: {type(error).__name__}: {error}")

    watch = _watches[name] = ImportWatch({name}, imported)
    if name in sys.modules:
        imported(sys.modules[name])
    else:
        watch.start()


def _wrap(owner: Any, name: str, log: Log) -> None:
    """Let `log` hear of each call of a function or method after it has returned."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(original)

        @functools.wraps(original)
        def followed(*given: Any, **named: Any) -> Any:
            result = original(*given, **named)
            try:
                call = signature.bind(*given, **named)
                call.apply_defaults()
                log(call.arguments, result)
            except Exception as error:  # noqa: BLE001  # what fails here must not end the script
                warn_once(
                    f"{name}() of the other tracker is not followed", f": {type(error).__name__}: {error} (said once)"
                )
            return result

        return followed

    if callable(getattr(owner, name, None)):
        _patches.replace(owner, name, make)


def _step(call: Arguments, name: str = "step") -> int | None:
    step = call.get(name)
    return None if step is None else int(step)


# --- TensorBoard ------------------------------------------------------------------------------------------------------


def _patch_writer(types: Collection[str] | None, module: ModuleType) -> None:
    logs: dict[str, Log] = {
        "scalar": lambda call, _: _write(call, {call["tag"]: call["scalar_value"]}),
        "scalars": lambda call, _: _write(
            call, {f"{call['main_tag']}/{tag}": value for tag, value in call["tag_scalar_dict"].items()}
        ),
        "image": lambda call, _: _write(call, {call["tag"]: _image(call)}),
        "text": lambda call, _: _write(call, {call["tag"]: media.media_type("Text")(call["text_string"])}),
    }
    for kind, log in logs.items():
        if types is None or kind in types:
            _wrap(module.SummaryWriter, f"add_{kind}", log)
    _wrap(module.SummaryWriter, "close", lambda call, _: _close(call["self"]))


def _write(call: Arguments, values: dict[str, Any]) -> None:
    writer = call["self"]
    run = current_run()
    if run is None:
        folder = getattr(writer, "logdir", None) or getattr(writer, "log_dir", None)
        run = _begun[writer] = begin(config={"tensorboard_logdir": str(folder)})
    run.log(values, _step(call, "global_step"))


def _image(call: Arguments) -> Any:
    image = call["img_tensor"]
    for name in ("detach", "cpu", "numpy"):
        image = getattr(image, name)() if hasattr(image, name) else image
    if call.get("dataformats", "CHW") == "CHW":
        image = image.transpose(1, 2, 0)
    return media.media_type("Image")(image)


def _close(writer: Any) -> None:
    run = _begun.pop(writer, None)
    if run is not None:
        run.finish()


# --- MLflow -----------------------------------------------------------------------------------------------------------


def _patch_mlflow(fluent: ModuleType) -> None:
    def start(call: Arguments, active: Any) -> None:  # noqa: ARG001
        open_run = current_run()
        if open_run is not None and not _mlflow:
            _mlflow.append((open_run, False))
            return
        project = fluent.get_experiment(active.info.experiment_id).name
        _mlflow.append((begin(project=project, name=active.info.run_name, reinit="create_new"), True))

    def end(call: Arguments, _: Any) -> None:
        run, is_ours = _mlflow.pop() if _mlflow else (None, False)
        if run is not None and is_ours:
            run.finish(_STATES.get(str(call.get("status")), "finished"))

    logs: dict[str, Log] = {
        "start_run": start,
        "log_metric": lambda call, _: _log_mlflow({call["key"]: call["value"]}, call),
        "log_metrics": lambda call, _: _log_mlflow(call["metrics"], call),
        "log_param": lambda call, _: _mlflow[-1][0].config.update({call["key"]: call["value"]}),
        "log_params": lambda call, _: _mlflow[-1][0].config.update(call["params"]),
        "end_run": end,
    }
    for owner in (fluent, sys.modules.get("mlflow")):  # which has copies of these functions
        for name, log in logs.items():
            if owner is not None and getattr(getattr(owner, name, None), "__wrapped__", None) is None:
                _wrap(owner, name, log)


def _log_mlflow(values: dict[str, Any], call: Arguments) -> None:
    _mlflow[-1][0].log(values, _step(call))


# --- wandb ------------------------------------------------------------------------------------------------------------


def _patch_wandb(wandb: ModuleType) -> None:
    kind = wandb.sdk.wandb_run.Run

    def start(call: Arguments, made: Any) -> None:  # noqa: ARG001
        run = current_run()
        if made in _begun or run is not None:
            return
        options = {"project": made.project, "name": made.name, "group": made.group or None, "notes": made.notes or None}
        config, tags = dict(made.config), list(made.tags or ())
        _begun[made] = begin(**options, tags=tags, config=config, step_by="run", on_bad_value="warn")

    def log(call: Arguments, _: Any) -> None:
        run = _begun.get(call["self"]) or current_run()
        if run is not None and call["data"]:
            run.log(dict(call["data"]), _step(call), commit=call.get("commit"))

    def end(call: Arguments, _: Any) -> None:
        run = _begun.pop(call["self"], None)
        if run is not None:
            run.config.update(dict(call["self"].config))
            run.finish("failed" if call.get("exit_code") else None)

    _wrap(wandb, "init", start)
    _wrap(kind, "log", log)
    for name in ("finish", "_finish"):  # the second is what the end of `with` calls
        _wrap(kind, name, end)
