"""The adapters of training libraries: which are active, what they patch, and which of them failed."""

from __future__ import annotations

import importlib
import sys
import threading
import weakref
from collections.abc import Callable
from types import ModuleType, TracebackType
from typing import Final, Protocol, cast

from ..tracking.endings import Stopped
from ..tracking.run import Run
from ..user_warnings import warn
from .import_watch import ImportWatch
from .patches import Patches

# The modules that are patched once they are imported, each with its adapter: the module of this package whose function
# `patch(patches, module)` does it.
ADAPTERS: Final[dict[str, str]] = {
    "keras": "keras",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "sklearn.model_selection._search": "sklearn",
    "sklearn.neural_network._multilayer_perceptron": "sklearn",
    "sklearn.ensemble._gb": "sklearn",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting": "sklearn",
    "optuna": "optuna",
    "transformers.trainer": "transformers_trainer",
    "lightning.pytorch.trainer.trainer": "lightning",
    "pytorch_lightning.trainer.trainer": "lightning",
    "fastai.callback.schedule": "fastai",
    "ultralytics.engine.trainer": "ultralytics",
    "stable_baselines3.common.on_policy_algorithm": "stable_baselines3",
    "stable_baselines3.common.off_policy_algorithm": "stable_baselines3",
}


class _Adapter(Protocol):
    def patch(self, patches: Patches, module: ModuleType) -> None: ...


class Activation:
    """A time during which adapters are active.

    `run` is the run that gets everything, None for the current run or, when none is open, a run for each training call.
    `metrics` are the names of what adapters have logged in this time.
    """

    def __init__(self, run: Run | None) -> None:
        self.run = run
        self.metrics: set[str] = set()


class Adapters:
    """The active adapters of this process. A library is patched while it is imported and there is an activation.

    Whoever begins an activation holds it: one that is lost, because an interrupt came in between, counts no more, and the end of the
    next one restores the libraries.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._activations: list[weakref.ref[Activation]] = []
        self._patched: dict[str, tuple[str, Patches]] = {}  # by patched module, its adapter
        self._failed: set[str] = set()
        self._watch = ImportWatch(ADAPTERS, self._patch_imported)

    def begin(self, run: Run | None) -> Activation:
        """Begin an activation. The first one patches the imported libraries, and notices later imports."""
        with self._lock:
            activation = Activation(run)
            self._activations.append(weakref.ref(activation))
            self._watch.start()
            for name in ADAPTERS:
                module = sys.modules.get(name)
                if module is not None and name not in self._patched and _is_imported(module):
                    self._patch(module)
            return activation

    def end(self, activation: Activation) -> None:
        """End an activation. The last one restores all libraries."""
        with self._lock:
            self._activations = [one for one in self._activations if one() not in (None, activation)]
            if not self._activations:
                self._watch.stop()
                while self._patched:  # an interrupted call is completed by the next one
                    name = next(reversed(self._patched))
                    self._patched[name][1].undo()
                    del self._patched[name]

    def current(self) -> Activation | None:
        """Return the newest activation with an open run, else the newest one without a run, None when there is none."""
        held = [one for reference in self._activations if (one := reference()) is not None]
        is_open = [one for one in held if one.run is not None and not one.run.ended]
        free = [one for one in held if one.run is None]
        return next(reversed(is_open or free), None)

    def has_failed(self, adapter: str) -> bool:
        """Whether an adapter is switched off because it failed."""
        return adapter in self._failed

    def switch_off(self, adapter: str, error: Exception) -> None:
        """Restore the library of an adapter that failed, for good, and say so once."""
        with self._lock:
            if adapter in self._failed:
                return
            self._failed.add(adapter)
            for name in [name for name, (owner, _) in self._patched.items() if owner == adapter]:
                self._patched.pop(name)[1].undo()
        say_failed(library_of(adapter), error)

    def _patch_imported(self, module: ModuleType) -> None:
        """Patch a module that was just executed, perhaps for the second time."""
        with self._lock:
            if self._activations:
                self._patch(module)

    def _patch(self, module: ModuleType) -> None:
        name = module.__name__
        adapter = ADAPTERS[name]
        with self._lock:
            if adapter in self._failed:
                return
            patches = Patches()
            self._patched[name] = adapter, patches
            try:
                cast("_Adapter", importlib.import_module(f".{adapter}", __package__)).patch(patches, module)
            except Exception as error:  # noqa: BLE001  a library that is not as expected must work as without us
                self.switch_off(adapter, error)


def library_of(adapter: str) -> str:
    """Return the library that an adapter follows."""
    return next((module.partition(".")[0] for module, name in ADAPTERS.items() if name == adapter), adapter)


def say_failed(library: str, error: Exception) -> None:
    """Say that training goes on without being followed, with the library's version and what to do."""
    version = getattr(sys.modules.get(library), "__version__", None)
    warn(
        f"trackbook no longer follows {library}{f' {version}' if version else ''}, because its adapter failed: {type(error).__name__}: "
        f"{error}. The training goes on; log by hand with run.log(...), or try another version of {library} or trackbook"
    )


class guard:  # noqa: N801  # a context manager, as those of the standard library
    """Pass an exception of our own code to `on_failure` instead of raising it, except `Stopped`, which is to end the training."""

    __slots__ = ("_on_failure",)

    def __init__(self, on_failure: Callable[[Exception], None]) -> None:
        self._on_failure = on_failure

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if not isinstance(error, Exception) or isinstance(error, Stopped):
            return False
        self._on_failure(error)
        return True


def _is_imported(module: ModuleType) -> bool:
    """Whether a module is executed: neither under way, nor put off by `importlib.util.LazyLoader` until it is used."""
    if type(module).__module__ == "importlib.util":
        return False
    return not getattr(getattr(module, "__spec__", None), "_initializing", False)


adapters: Final = Adapters()
_for_good: list[Activation] = []


class active:  # noqa: N801  # likewise
    """Follow the training calls of known libraries within this context, in `run`, by default in the current one."""

    def __init__(self, run: Run | None = None) -> None:
        self._run = run
        self._activations: list[Activation] = []

    def __enter__(self) -> Activation:
        self._activations.append(adapters.begin(self._run))
        return self._activations[-1]

    def __exit__(self, *_: object) -> None:
        adapters.end(self._activations.pop())


def autolog(on: bool = True) -> None:
    """Follow every training call of the supported libraries from now on, as ``model.fit(...)``, without a line of code in it.

    Metrics, and the hyperparameters as config, go to the current run. Without an open run each training call makes a run of its own,
    and ends it: ``finished``, ``failed`` or ``interrupted`` as the call. No library is imported, and one that is imported later is
    noticed. An adapter that fails switches itself off with one warning, and the training goes on.

    Parameters
    ----------
    on
        False: follow nothing from now on, and restore the libraries exactly.
    """
    if on and not _for_good:
        _for_good.append(adapters.begin(None))
    while not on and _for_good:
        adapters.end(_for_good.pop())
