"""Settings from environment variables, and the data folder. The only module that reads the environment."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from .user_warnings import warn

# Variables that affect training: of processors and threads, schedulers, distributed jobs, frameworks and Python.
_TELLING_PREFIXES: Final = tuple(
    "CUDA_ CUBLAS_ CUDNN_ NVIDIA_ NCCL_ HIP_ ROCR_ ROCM_ HSA_ MIOPEN_ RCCL_ TPU_ XPU_ ONEAPI_ "
    "OMP_ KMP_ GOMP_ MKL_ OPENBLAS_ BLIS_ NUMEXPR_ VECLIB_ NUMBA_ POLARS_ RAYON_ "
    "SLURM_ SLURMD_ PBS_ LSB_ SGE_ OMPI_COMM_ PMI_ PMIX_ MPI_ TORCHELASTIC_ ACCELERATE_ DEEPSPEED_ FSDP_ RAY_ DASK_ HOROVOD_ "
    "TORCH_ PYTORCH_ TORCHINDUCTOR_ TF_ XLA_ JAX_ KERAS_ HF_ TRANSFORMERS_ DATASETS_ TOKENIZERS_ BNB_ VLLM_ "
    "PYTHON TRACKBOOK_".split()
)
_TELLING: Final = frozenset(
    "WORLD_SIZE RANK LOCAL_RANK LOCAL_WORLD_SIZE GROUP_RANK NODE_RANK MASTER_ADDR MASTER_PORT LD_LIBRARY_PATH LD_PRELOAD "
    "VIRTUAL_ENV CONDA_DEFAULT_ENV CONDA_PREFIX MPLBACKEND TZ LANG LC_ALL COLAB_GPU KAGGLE_KERNEL_RUN_TYPE".split()
)
_RANKS: Final = ("SLURM_PROCID", "LOCAL_RANK")  # of whom neither RANK nor Ray numbers
_INVITATION: Final = "TRACKBOOK_RUN"  # another one for each run, which says nothing about it
_STARTUP: Final = Path(__file__).parent / "compat" / "startup"
_OF_TRACKERS: Final = {
    "wandb": {
        "project": "WANDB_PROJECT",
        "name": "WANDB_NAME",
        "group": "WANDB_RUN_GROUP",
        "id": "WANDB_RUN_ID",
        "resume": "WANDB_RESUME",
        "notes": "WANDB_NOTES",
        "mode": "WANDB_MODE",
    },
    "swanlab": {
        "project": "SWANLAB_PROJECT",
        "name": "SWANLAB_EXP_NAME",
        "id": "SWANLAB_RUN_ID",
        "mode": "SWANLAB_MODE",
    },
    "trackio": {
        "space_id": "TRACKIO_SPACE_ID",
        "webhook_url": "TRACKIO_WEBHOOK_URL",
        "webhook_min_level": "TRACKIO_WEBHOOK_MIN_LEVEL",
    },
}
_WRITE: Final = "TRACKBOOK_WRITE_"  # how the secrets of a Space with a token that writes begin
_SECRET: Final = re.compile(rf"{_WRITE}|TOKEN(?!IZERS)|SECRET|PASSW|CREDENTIAL|AUTH|WEBHOOK_URL|(?<![A-Z])KEY")


def data_dir(override: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of the project files: `override`, else ``TRACKBOOK_DIR``, else the platform's user data folder.

    For a user without a home folder, as in some containers, it is a folder for temporary files, with one warning.
    """
    try:
        if override:
            return _absolute(override)
        if chosen := os.environ.get("TRACKBOOK_DIR"):
            return _folder_of_environment(chosen)
        import platformdirs

        return Path(platformdirs.user_data_dir("trackbook", appauthor=False))
    except RuntimeError:  # neither HOME nor the user database names a home folder
        return _homeless_dir()


@functools.cache
def _folder_of_environment(chosen: str) -> Path:
    """Return the absolute folder, cached, so that runs stay together when a program changes its working directory."""
    return _absolute(chosen)


def _absolute(chosen: str | os.PathLike[str]) -> Path:
    """Return a user's folder as an absolute path, with a warning where that is not relative to the user's working directory."""
    folder = user_path(chosen)
    if not folder.is_absolute() and _is_moved_by_ray():
        warn(
            f"Ray gave this worker a working directory of its own, so runs are kept in {folder.absolute()}; to keep them elsewhere, "
            "give TRACKBOOK_DIR or init(dir=) as an absolute path"
        )
    return folder.absolute()


def user_path(path: str | os.PathLike[str]) -> Path:
    """Return a user's path, with ``~`` expanded. Raises ``RuntimeError`` without a home folder."""
    return Path(path).expanduser()


def is_task_only() -> bool:
    """Whether only SLURM numbers the processes, so that its tasks may be independent runs."""
    names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR")
    return not any(os.environ.get(name) for name in names) and _worker_of_ray() is None


@functools.cache
def _homeless_dir() -> Path:
    import tempfile

    user = getattr(os, "getuid", lambda: 0)()  # 0 on Windows, where `stat` returns 0 for every file
    folder = Path(tempfile.gettempdir(), f"trackbook-{user}")
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if folder.is_symlink() or folder.stat().st_uid != user:  # another user's, who could read or replace the files
            folder = Path(tempfile.mkdtemp(prefix=f"{folder.name}-"))
    warn(
        f"this user has no home folder, so runs are kept in {folder}; set TRACKBOOK_DIR to keep them in a lasting place"
    )
    return folder


def capture() -> str:
    """Return the default of ``init(capture=)``: ``TRACKBOOK_CAPTURE``, else ``"all"``."""
    return os.environ.get("TRACKBOOK_CAPTURE") or "all"


def webhook_url() -> str | None:
    """Return the default of ``init(webhook_url=)``: ``TRACKBOOK_WEBHOOK_URL``."""
    return os.environ.get("TRACKBOOK_WEBHOOK_URL") or None


def webhook_min_level() -> str | None:
    """Return the default of ``init(webhook_min_level=)``: ``TRACKBOOK_WEBHOOK_MIN_LEVEL``."""
    return os.environ.get("TRACKBOOK_WEBHOOK_MIN_LEVEL") or None


def sync() -> str | None:
    """Return where runs are uploaded to by default, ``TRACKBOOK_SYNC``."""
    return os.environ.get("TRACKBOOK_SYNC") or None


def token() -> str | None:
    """Return the token for servers of Trackbook, ``TRACKBOOK_TOKEN``."""
    return os.environ.get("TRACKBOOK_TOKEN", "").strip() or None


def invitation() -> str | None:
    """Return the folder of an invitation of `trackbook run`, ``TRACKBOOK_RUN``; None for programs that it did not start."""
    return os.environ.get(_INVITATION) or None


def variables_for_program(folder: Path, invited: Path, trackers: Sequence[str] = ()) -> dict[str, str]:
    """Return the environment of a program that `trackbook run` starts: its runs are in `folder`, and it is `invited`.

    With `trackers` its imports of them find Trackbook.
    """
    variables = variables_for_compat(trackers) if trackers else dict(os.environ)
    return variables | {"TRACKBOOK_DIR": str(folder), _INVITATION: str(invited)}


def compat_trackers() -> list[str]:
    """Return the trackers that Trackbook stands in for: ``TRACKBOOK_COMPAT``, names joined by commas."""
    return split_names(os.environ.get("TRACKBOOK_COMPAT", ""))


def split_names(text: str) -> list[str]:
    """Return the names in a text that joins them by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def variables_for_compat(trackers: Sequence[str]) -> dict[str, str]:
    """Return an environment in which Python programs and their children import Trackbook for `trackers`.

    Python imports the ``sitecustomize`` that it finds first, which is ours then; ours imports the one that it hides.
    """
    folders = [str(_STARTUP), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "TRACKBOOK_COMPAT": ",".join(trackers), "PYTHONPATH": os.pathsep.join(dict.fromkeys(folders))}


def of_tracker(tracker: str) -> dict[str, Any]:
    """Return the keywords of `init` that the environment variables of another tracker give."""
    return {
        keyword: os.environ[variable]
        for keyword, variable in _OF_TRACKERS.get(tracker, {}).items()
        if os.environ.get(variable)
    }


def is_quiet() -> bool:
    """Whether ``TRACKBOOK_QUIET`` asks for no words in the terminal."""
    return os.environ.get("TRACKBOOK_QUIET", "") not in ("", "0")


def notebook_path() -> str | None:
    """Return the notebook's path as Jupyter Server passes it to kernels, None elsewhere."""
    return os.environ.get("JPY_SESSION_NAME") or None


def telling_variables() -> dict[str, str]:
    """Return the environment variables that affect training, by name, without those named like secrets."""
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if (name in _TELLING or name.startswith(_TELLING_PREFIXES)) and not _SECRET.search(name) and name != _INVITATION
    }


def conda_environment() -> str | None:
    """Return the folder of the active conda environment."""
    return os.environ.get("CONDA_PREFIX") or None


def variables_for_git() -> dict[str, str]:
    """Return an environment in which git asks for no passwords and takes no locks."""
    return {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


def rank() -> int:
    """Return the rank of this process in a distributed job (torchrun, accelerate, SLURM, Ray Train), 0 outside of one."""
    return _rank() or 0


def _rank() -> int | None:
    launched = _decimal("RANK")
    if launched is not None:
        return launched
    worker = _worker_of_ray()  # before SLURM's, which numbers Ray's nodes
    if worker is not None:
        return worker[0]
    return next((found for name in _RANKS if (found := _decimal(name)) is not None), None)


def _decimal(name: str) -> int | None:
    value = os.environ.get(name, "")
    return int(value) if value.isdecimal() else None


def _worker_of_ray() -> tuple[int, str] | None:
    """Return the rank of this worker of Ray Train and the name of its training, None elsewhere.

    Ray sets the variables of a distributed job only where torch trains.
    """
    ray, train = sys.modules.get("ray"), sys.modules.get("ray.train")
    if ray is None or train is None or not hasattr(train, "get_context"):
        return None
    if not ray.is_initialized() or ray.get_runtime_context().get_actor_id() is None:
        return None
    try:
        context = train.get_context()
        return context.get_world_rank(), context.get_experiment_name()
    except (RuntimeError, DeprecationWarning):  # another actor of Ray's; a trial of Ray Tune
        return None


def _is_moved_by_ray() -> bool:
    """Whether this is a worker of Ray Train or a trial of Ray Tune, whose working directory is a temporary one of Ray's."""
    return os.environ.get("TUNE_ORIG_WORKING_DIR", str(Path.cwd())) != str(Path.cwd()) or _worker_of_ray() is not None


def job() -> str | None:
    """Return a name that the processes of this distributed job have in common, None outside of one."""
    if _rank() is None:
        return None
    worker = _worker_of_ray()
    names = ("TORCHELASTIC_RUN_ID", "SLURM_JOB_ID", "MASTER_PORT")
    known = ["" if worker is None else worker[1], *(os.environ.get(name, "") for name in names)]
    return f"job {next((said for said in known if said not in ('', 'none')), os.getppid())}"


@contextlib.contextmanager
def same_variable(name: str) -> Iterator[None]:
    """Restore an environment variable afterwards."""
    before = os.environ.get(name)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


def hub_endpoint() -> str | None:
    """Return the address of the Hugging Face Hub, if it is another than its own: ``HF_ENDPOINT``."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or None


def write_tokens() -> list[str]:
    """Return the tokens that write to this server, which runs in a Space: its secrets ``TRACKBOOK_WRITE_...``."""
    return [value for name, value in os.environ.items() if name.startswith(_WRITE) and value]


def is_watched() -> bool:
    """Whether somebody sits at this terminal who would see a browser that is opened."""
    if not sys.stderr.isatty() or "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform in {"darwin", "win32"} or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def state_dir() -> Path:
    """Return the folder for data that a user's servers keep between their runs."""
    import platformdirs

    return Path(platformdirs.user_state_dir("trackbook", appauthor=False))


def may_use_plain_http() -> bool:
    """Whether the variables of an object store name an address without TLS, such as that of a server on this machine."""
    addresses = (os.environ.get(name, "") for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"))
    return any(address.startswith("http://") for address in addresses)
