"""What runs of wandb, Trackio and SwanLab have beside ours: keywords of their calls, and attributes."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from ..metrics import SYSTEM
from ..types import ENDED, State
from ..user_warnings import warn_once
from . import media_calls
from .logged_values import flatten
from .unsupported import CALLS, call

if TYPE_CHECKING:
    from .run import Run
    from .run_writer import RunWriter

_STATES: Final = {"success": "finished", "crashed": "failed", "aborted": "interrupted"}  # SwanLab's words
_FILES: Final = "trackbook-files"


def logged_data(data: Mapping[str, Any] | None, other: dict[str, Any]) -> Any:
    """Return the metrics of a call of `log` with keywords of other trackers, and warn once of those that are ignored."""
    if data is None:
        data = other.pop("metrics", None)  # Trackio's name
    say_ignored("log", other)
    return data


def ended_state(state: Any, exit_code: int | None, other: Mapping[str, Any]) -> State | None:
    """Return how a run ends by the words of other trackers: an exit code, or SwanLab's states. Raises ``ValueError`` for another word."""
    say_ignored("finish", other)
    state = getattr(state, "value", state)
    if isinstance(state, int) and not isinstance(state, bool):
        state, exit_code = None, state  # wandb's `finish(1)`
    if state is None:
        return "failed" if exit_code else None
    ending = _STATES.get(state, state) if isinstance(state, str) else state
    if ending not in ENDED:
        raise ValueError(f"finish(state={state!r}): a run ends as one of {', '.join(ENDED)}")
    return ending


def say_ignored(function: str, names: Mapping[str, Any]) -> None:
    """Warn once of keywords that are ignored."""
    if names:
        warn_once(f"{function}() ignores {', '.join(names)}: trackbook has no use for them")


def append_system(writer: RunWriter, data: Mapping[str, Any]) -> None:
    """Record system metrics now, beside those that are recorded by themselves."""
    import polars as pl

    from ..store.base import POINTS

    writer.refuse_in_child()
    now, values = time.time(), {SYSTEM + name: value for name, value in flatten(data).items()}
    earlier = writer.store.summary(writer.id)
    steps = [earlier[name].step + 1 if name in earlier else 0 for name in values]
    columns = {"metric": list(values), "step": steps, "value": list(values.values()), "time": [now] * len(values)}
    writer.store.append(writer.id, pl.DataFrame(columns, schema=POINTS))


def _files(run: Run) -> str:
    """Return a folder for files of a run: wandb keeps what is written there."""
    folder = Path.cwd() / _FILES / run.id
    folder.mkdir(parents=True, exist_ok=True)
    warn_once(f"files of run.dir stay in {folder.parent}: trackbook neither records nor deletes them")
    return str(folder)


def _log_code(*_: Any, **__: Any) -> None:
    warn_once("log_code() does nothing: trackbook records scripts, cells and the git diff by itself")


def _async_log(run: Run) -> Callable[..., Any]:
    return functools.partial(_log_result, run)


def _log_result(
    run: Run,
    func: Callable[..., Any],
    /,
    *given: Any,
    step: int | None = None,
    mode: str = "",  # noqa: ARG001  # how SwanLab leaves it to the background
    **named: Any,
) -> Any:
    """Log what `func` returns, at once; what a coroutine function returns once it is there. Return its future."""
    import asyncio
    import inspect
    from concurrent.futures import Future

    if inspect.iscoroutinefunction(func):
        return asyncio.ensure_future(_log_awaited(run, func(*given, **named), step))
    warn_once("async_log() calls its function at once, and waits for it")
    done: Future[Any] = Future()
    try:
        done.set_result(run.log(func(*given, **named), step))
    except Exception as error:  # noqa: BLE001  # its future has it, as SwanLab's
        done.set_exception(error)
    return done


async def _log_awaited(run: Run, result: Coroutine[Any, Any, Any], step: int | None) -> Any:
    return run.log(await result, step)


def space_of(where: str | None) -> str | None:
    """Return the name of the Space to which runs are uploaded, None for another place."""
    return where.removeprefix("hf://").partition("?")[0] if where is not None and where.startswith("hf://") else None


def _log_scalar(run: Run) -> Callable[..., Any]:
    return lambda key, value, step=None: run.log({key: value}, step)


def _log_model(run: Run, path: Any, name: str | None = None, aliases: Any = None, **other: Any) -> Any:
    """Keep a file or folder as an artifact of the type ``model``."""
    say_ignored("log_model", other)
    return run.log_artifact(path, name=name, type="model", aliases=aliases)


def _use_model(run: Run, name: str) -> str:
    """Bring the files of a model back. Return the path of its file, of several that of their folder."""
    artifact = run.use_artifact(name, type="model")
    folder, files = artifact.download(), artifact.files()
    return str(Path(folder, files[0].path)) if len(files) == 1 else folder


def _nothing(*_: Any, **__: Any) -> None: ...


def _value(value: Any) -> Callable[[Run], Any]:
    return lambda _: value


_OF_RUN: Final[dict[str, Callable[[Any], Any]]] = {
    "alive": lambda run: not run.ended,
    "async_log": _async_log,
    "config_static": lambda run: run.config,
    "dir": _files,
    "display": _value(_nothing),
    "entity": _value(""),
    "experiment_name": lambda run: run.name,
    "get_project_url": _value(_nothing),
    "get_url": _value(_nothing),
    "job_type": _value(None),
    "join": lambda run: run.finish,
    "log_code": _value(_log_code),
    "log_model": lambda run: functools.partial(_log_model, run),
    "log_scalar": _log_scalar,
    "mark_preempting": _value(_nothing),
    "offline": _value(True),  # an attribute's value
    "path": lambda run: f"{run.project}/{run.id}",
    "pin_config_keys": _value(_nothing),
    "project_name": lambda run: lambda: run.project,
    "project_url": _value(None),
    "public": lambda run: SimpleNamespace(
        project_name=run.project, run_id=run.id, cloud=SimpleNamespace(available=False, exp_url=None, project_url=None)
    ),
    "settings": _value(None),
    "start_time": lambda run: run.record.started,
    "starttime": lambda run: run.record.started,
    "status": _value(_nothing),
    "sweep_id": _value(None),
    "sweep_url": _value(None),
    "sync_dir": _files,
    "to_html": _value(_nothing),
    "url": _value(None),
    "use_model": lambda run: functools.partial(_use_model, run),
    "write_logs": _value(_nothing),
    "_label": _value(_nothing),  # Transformers and Lightning call it
    "_attach_id": _value(None),
}
_OF_WRITER: Final[dict[str, Callable[[RunWriter], Any]]] = {
    "disabled": lambda writer: writer.options.disabled,
    "mode": lambda writer: "disabled" if writer.options.disabled else "local",
    "log_system": lambda writer: functools.partial(append_system, writer),
    "resumed": lambda writer: writer.is_resumed,
    "_space_id": lambda writer: space_of(writer.options.sync),
    "starting_step": lambda writer: writer.recorder.first_step,
    "step": lambda writer: writer.recorder.next_step,
}


class _Attribute:
    """An attribute made when it is asked for. A run may be given another value under its name."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read

    def __get__(self, run: Any, kind: type) -> Any:
        return self if run is None else self._read(run)


class OtherTrackersRun:
    """What runs of other trackers have and ours do not.

    These are descriptors because ``__getattr__`` would make every access to an attribute of a run slower: `log` by a third.
    """

    _writer: RunWriter


def _of_writer(read: Callable[[RunWriter], Any]) -> Callable[[Any], Any]:
    return lambda run: read(run._writer)  # noqa: SLF001  # of the run itself


def _call(name: str) -> Callable[[Any], Any]:
    return lambda _: call(name)


def _media_call(name: str) -> Callable[[Any], Any]:
    return lambda run: media_calls.call(name, run.log)


_READ: Final = (
    {name: _call(name) for name in CALLS}
    | {name: _media_call(name) for name in media_calls.CALLS}
    | _OF_RUN
    | {name: _of_writer(read) for name, read in _OF_WRITER.items()}
)
NAMES: Final = frozenset(_READ)
for _name, _read in _READ.items():
    setattr(OtherTrackersRun, _name, _Attribute(_read))
