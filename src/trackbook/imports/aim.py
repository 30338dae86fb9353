"""Aim's repositories. They are RocksDB databases, which nothing but Aim's own package reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from ..media import media_type
from ..media.histogram import MOST_BINS
from ..media.values import Encoded
from .intake import Intake
from .source import MALFORMED, Kind, SourceRun, digest

_SYSTEM: Final = "__system__"  # before the names of system metrics
_OWN: Final = "__system_params"  # in a run's parameters: packages, environment variables


def _runs(path: Path) -> Iterator[SourceRun]:
    try:
        from aim import Repo
    except ImportError:
        raise ValueError(f"{path} is a repository of Aim, which only Aim's package can read: pip install aim") from None
    repo = Repo(str(path.parent if path.name == ".aim" else path))
    for run_hash in sorted(repo.list_all_runs()):
        run = _opened(repo, run_hash)
        metrics, media, logs = list(run.metrics()), _media_of(run), _logs_of(run)
        ends: list[Any] = [sequence.last_step() for sequence in (*metrics, *media, *logs)]
        ends += map(_last_line, logs)
        about = run.meta_run_tree.get("end_time", None), run.name, run.tags, run.description, run.archived
        yield SourceRun(
            run_hash,
            path,
            run.experiment or None,
            digest(repr((ends, about))),
            len(metrics) + len(media) + len(logs),
            partial(_tell, repo, run_hash),
        )


def _opened(repo: Any, run_hash: str) -> Any:
    """Return a run for reading, from its own files: those of the repository's index lag behind until `aim up` is started."""
    from aim import Run

    run = Run(run_hash, repo=repo, read_only=True)
    run.meta_tree = repo.request_tree("meta", run_hash, read_only=True).subtree("meta")
    run.meta_run_tree = run.meta_tree.subtree("chunks").subtree(run_hash)
    run.meta_run_attrs_tree = run.meta_run_tree.subtree("attrs")
    run._tracker.meta_tree = run.meta_tree  # noqa: SLF001  # which it looks contexts up in
    return run


def _media_of(run: Any) -> list[Any]:
    """Return the sequences of media, in the same order in every process."""
    from aim.sdk.sequence import Sequence

    found = [Sequence(name, context, run) for name, context, _ in run.iter_sequence_info_by_type(_MEDIA)]
    return sorted(found, key=_name)


def _logs_of(run: Any) -> list[Any]:
    """Return the sequence of the lines of the terminal, if there is one."""
    return [logs for logs in [run.get_terminal_logs()] if logs is not None]


def _last_line(logs: Any) -> str:
    """Return the last line, which may grow; nothing for one of an unknown form, which is said when the run is read."""
    try:
        return str(logs.values.last_value().data)
    except MALFORMED:
        return ""


def _name(sequence: Any) -> str:
    return "/".join([*map(str, sequence.context.to_dict().values()), sequence.name])


def _tell(repo: Any, run_hash: str, intake: Intake) -> None:
    run = _opened(repo, run_hash)
    end = run.meta_run_tree.get("end_time", None)
    params = run.meta_run_tree.get("attrs", {})
    intake.set(
        name=run.name,
        state="lost" if end is None else "finished",
        started=run.creation_time,
        ended=end,
        tags=tuple(sorted(run.tags)),
        notes=run.description,
        config={name: value for name, value in _plain(params).items() if name != _OWN},
    )
    if end is None:
        intake.lose("its end is not recorded: it crashed, or goes on")
    done = 0
    for done, metric in enumerate(run.metrics(), 1):
        steps, (values, _, times) = metric.data.items_list()
        name = _name(metric)
        for step, value, time in sorted(zip(steps, values, times, strict=True), key=lambda point: point[0]):
            if metric.name.startswith(_SYSTEM):
                intake.system(name.replace(_SYSTEM, "", 1), value, time)
            else:
                intake.point(name, step, value, time)
        intake.at(done)
    others = [(_tell_media, media) for media in _media_of(run)] + [(_tell_lines, logs) for logs in _logs_of(run)]
    for number, (tell, sequence) in enumerate(others, done + 1):
        try:
            tell(sequence, intake)
        except MALFORMED as error:
            intake.lose(f"{_name(sequence)!r} has an unknown form: {error}")
        intake.at(number)


def _tell_lines(logs: Any, intake: Intake) -> None:
    """Tell of the lines of the terminal. Aim does not keep which of them went to stderr."""
    times = dict(logs.timestamps.items())
    for number, line in logs.values.items():
        intake.line("stdout", line.data, times.get(number, 0.0))


def _tell_media(sequence: Any, intake: Intake) -> None:
    name, times = _name(sequence), dict(sequence.timestamps.items())
    for step, value in sequence.values.items():  # no dataframe
        values = value if isinstance(value, list) else [value]
        intake.media(name, step, times.get(step, 0.0), partial(_encoded, values))


def _encoded(values: list[Any]) -> list[Encoded]:
    """Return objects of Aim as media. Raises one of `media_values.UNREADABLE`."""
    return [_MAKE[value.AIM_NAME](value).encode() for value in values]


def _histogram(value: Any) -> Any:
    if not isinstance(value.bin_count, int) or not 1 <= value.bin_count <= MOST_BINS:
        raise ValueError(f"a distribution of {value.bin_count} bins")
    return media_type("Histogram")(np_histogram=value.to_np_histogram())


def _content(value: Any) -> Any:
    return value.storage["data"].load()


_MAKE: Final[dict[str, Callable[[Any], Any]]] = {
    "aim.image": lambda value: media_type("Image")(_content(value), caption=value.storage["caption"]),
    "aim.audio": lambda value: media_type("Audio")(
        _content(value), caption=value.storage["caption"], file_type=value.storage["format"]
    ),
    "aim.text": lambda value: media_type("Text")(_content(value)),
    "aim.distribution": _histogram,
    "aim.figure": lambda value: media_type("Plotly")(json.loads(_content(value))),
}
_MEDIA: Final = (*_MAKE, "list(aim.image)", "list(aim.audio)", "list(aim.text)")  # of others Aim takes no lists


def _plain(params: Any) -> Mapping[str, Any]:
    return params if isinstance(params, Mapping) else {}


KIND: Final = Kind("aim", "repositories of Aim", lambda path: path.name == ".aim" or (path / ".aim").is_dir(), _runs)
