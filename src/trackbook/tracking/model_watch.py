"""`Run.watch`: the norms of a model's gradients and parameters while it trains."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from ..media.histogram import Histogram
from ..user_warnings import warn
from .other_trackers import say_ignored

if TYPE_CHECKING:
    from .run import Run

Watched = Literal["gradients", "parameters", "all"]
_BINS: Final = 64
_REST: Final = 10  # times that norms are logged, after which distributions are
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "gradients": ("gradients",),
    "parameters": ("parameters",),
    "all": ("gradients", "parameters"),
}


def watch(
    self: Run,
    model: Any,
    log: Watched = "gradients",
    *,
    every: int = 10,
    histograms: bool | int = False,
    **other: Any,
) -> None:
    """Log the norms of a model's gradients or parameters before each step of its optimizer, until the run ends.

    ``gradients/norm`` and ``parameters/norm`` are the norms of all of them, as `torch.nn.utils.clip_grad_norm_` measures;
    ``gradients/NAME`` those of each tensor by its name. The step is the number of steps that the optimizer has done.
    With `histograms`, ``gradients/NAME/values`` are the distributions of their values, which a board draws as heat maps over steps.

    Parameters
    ----------
    model
        A module of PyTorch, or a Keras model on torch, compiled.
    log
        ``"gradients"``, ``"parameters"`` or ``"all"``.
    every
        Log each so many steps only. All norms of a step are computed at once, and wait once for the device.
    histograms
        Whether to log distributions, too: True at every tenth time that norms are logged, or a number of times. Each waits for the device.
    other
        wandb's ``log_freq=`` means `every`; further keywords are ignored with one warning.

    Raises
    ------
    TypeError
        For another kind of model.
    ValueError
        For another word than these, or an `every` or `histograms` below 1.
    """
    every = other.pop("log_freq", None) or every
    say_ignored("watch", other)
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(model, torch.nn.Module):
        raise TypeError(
            f"watch() takes a torch.nn.Module, or a Keras model whose backend is torch, not {type(model).__name__}; log norms by "
            "run.log({'gradients/norm': ...})"
        )
    if log not in KINDS:
        raise ValueError(f"watch(log={log!r}): log is one of {', '.join(map(repr, KINDS))}")
    if every < 1:
        raise ValueError(f"watch(every={every!r}): every is a number of steps from 1")
    if histograms is not False and histograms < 1:
        raise ValueError(f"watch(histograms={histograms!r}): histograms is True, or a number of times from 1")
    watcher = _Watcher(self, torch, model, KINDS[log], every, rest=_REST if histograms is True else int(histograms))
    optimizer = getattr(model, "optimizer", None)
    if hasattr(optimizer, "apply") and not hasattr(optimizer, "param_groups"):
        watcher.stop = _before_apply(optimizer, watcher)
    else:
        hooks: Any = sys.modules["torch.optim.optimizer"]
        watcher.stop = hooks.register_optimizer_step_pre_hook(watcher.before_step).remove
    self._writer.on_end.append(lambda _: watcher.stop())


class _Watcher:
    """The norms of one model."""

    def __init__(self, run: Run, torch: Any, model: Any, kinds: tuple[str, ...], every: int, *, rest: int = 0) -> None:
        """Log norms each `every` steps, and distributions each `rest` times of these; never for 0."""
        self.stop: Callable[[], None] = lambda: None
        self._run = run
        self._torch = torch
        self._kinds = kinds
        self._every = every
        self._rest = every * rest
        self._named = dict(model.named_parameters())
        self._ours = {id(one) for one in self._named.values()}
        self._steps = 0

    def before_step(self, optimizer: Any, *_: Any) -> None:
        """Handle a step of any optimizer of PyTorch."""
        if any(id(one) in self._ours for group in optimizer.param_groups for one in group["params"][:1]):
            self.step()

    def step(self) -> None:
        """Count a step of the model's optimizer, and log the norms of each n-th."""
        step, self._steps = self._steps, self._steps + 1
        if step % self._every or self._run.ended:
            return
        try:
            values: dict[str, Any] = {}
            for kind in self._kinds:
                values |= self._norms(kind)
                if self._rest and step % self._rest == 0:
                    values |= self._histograms(kind)
            self._run.log(values, step)
        except Exception as error:  # noqa: BLE001  a tensor of a kind that has no norm must not end the training
            self.stop()
            warn(f"watch() no longer logs norms, because that failed: {type(error).__name__}: {error}")

    def _tensors(self, kind: str) -> dict[str, Any]:
        return {
            name: one.grad if kind == "gradients" else one
            for name, one in self._named.items()
            if kind == "parameters" or one.grad is not None
        }

    def _histograms(self, kind: str) -> dict[str, Any]:
        found = {}
        for name, one in self._tensors(kind).items():
            values = one.detach().float().flatten()
            values = values[self._torch.isfinite(values)]  # counted on its device: only the counts are copied
            if len(values):
                low, high = values.min().item(), values.max().item()
                high = high if high > low else low + max(abs(low), 1.0) * 1e-3
                counts = self._torch.histc(values, _BINS, low, high).tolist()
                edges = [low + (high - low) * place / _BINS for place in range(_BINS + 1)]
                found[f"{kind}/{name}/values"] = Histogram(np_histogram=(counts, edges))
        return found

    def _norms(self, kind: str) -> dict[str, float]:
        found = self._tensors(kind)
        if not found:
            return {}
        with self._torch.no_grad():
            norms = [one.float() for one in self._torch._foreach_norm([one.detach() for one in found.values()])]  # noqa: SLF001
            device = norms[0].device
            each = self._torch.stack([one.to(device) for one in norms])
            total, *values = self._torch.cat([each.norm().reshape(1), each]).tolist()
        return {f"{kind}/norm": total} | {f"{kind}/{name}": value for name, value in zip(found, values, strict=True)}


def _before_apply(optimizer: Any, watcher: _Watcher) -> Callable[[], None]:
    """Watch an optimizer of Keras, which has no hooks: replace its method `apply`. Return what restores it."""
    apply = optimizer.apply

    @functools.wraps(apply)
    def watched(*given: Any, **named: Any) -> Any:
        watcher.step()
        return apply(*given, **named)

    optimizer.apply = watched

    def restore() -> None:
        if vars(optimizer).get("apply") is watched:
            del optimizer.apply

    return restore
