"""Which names read as metrics: by their words, as ``train_loss``, ``valAcc`` and ``grad-norm`` have them."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

_METRICS: Final = frozenset(
    "loss losses acc accs accuracy accuracies score scores error errors err errs reward rewards lr cost costs objective nll bce mse rmse mae "
    "mape r2 auc auroc auprc ap map f1 precision recall sensitivity specificity perplexity ppl elbo kl kld kldiv entropy bleu rouge meteor "
    "iou miou dice psnr ssim fid cer wer hinge likelihood loglik logprob regret gnorm divergence penalty residual residuals logloss rmsle "
    "top1 top5 correlation silhouette inertia rate wins durations".split()
)
_PAIRS: Final = frozenset(
    (
        "grad norm",
        "gradient norm",
        "learning rate",
        "success rate",
        "win rate",
        "episode return",
        "episode returns",
        "mean return",
    )
)
_NOT_METRICS: Final = frozenset(
    "fn func function criterion crit num count name names path file dir idx index key keys mask weight weights size shape threshold eps "
    "history log logs logger meter list dict tensor module layer class device scaler scheduler str string text label labels best".split()
)
# objectives, which are worth a look at each step also where their sum is reported
_OBJECTIVES: Final = frozenset("loss losses error err cost nll bce mse mae objective elbo".split())
_COUNTERS: Final = frozenset(
    "epoch epochs step steps iter iters iteration iterations batch batches idx index i j k n num number size seed seeds count counts len "
    "length total samples sample fold folds episode episodes trial trials round rounds rank device gpu patience".split()
)
_TIMES: Final = frozenset(
    "time times elapsed eta sec secs second seconds ms min mins minute minutes duration remaining took start end now hours".split()
)
_SUMS: Final = ("running_", "total_", "sum_", "cum_", "cumulative_", "accumulated_", "epoch_")


def words(name: str) -> list[str]:
    """Return the words of a name, in lower case: those of ``valAcc`` are ``val`` and ``acc``."""
    parts = re.sub(r"([a-z])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3 \2\4", name)
    return re.findall(r"[^\W_]+", parts.lower())


def reads_as_metric(name: str) -> bool:
    """Whether a name reads as that of a metric."""
    found = words(name)
    if not found or _NOT_METRICS & set(found) or is_time(name):
        return False
    metrics = _METRICS & set(found)
    if metrics == {"rate"}:
        metrics = frozenset()
    pairs = set(map(" ".join, pairwise(found)))
    return bool(metrics or _PAIRS & pairs)


def is_objective(name: str) -> bool:
    """Whether a name reads as what training minimises."""
    return bool(_OBJECTIVES & set(words(name)))


def is_count(name: str) -> bool:
    """Whether a name reads as a counter, an index or a size, and not as a metric."""
    found = words(name)
    return bool(found) and bool(_COUNTERS & set(found)) and not reads_as_metric(name)


def is_time(name: str) -> bool:
    """Whether a name reads as a time."""
    return bool(_TIMES & set(words(name)))


def without_sum(name: str) -> str:
    """Return the name of what a sum accumulates: that of ``running_loss`` is ``loss``."""
    for prefix in _SUMS:
        if name.startswith(prefix) and reads_as_metric(name.removeprefix(prefix)):
            return name.removeprefix(prefix)
    return name


def label_in(text: str) -> str:
    """Return the name that stands before a value in a text: that of ``"Epoch 3 | Train Loss: "`` is ``train_loss``; it may be empty."""
    text = _ABBREVIATIONS.sub(r"\1 ", text)
    last = re.split(r"[,;|\n\t]|\.\s|\s[-/]+\s|:|->|=>", text.rstrip(" \t:=-([{<~\"'$"))[-1]
    found = re.findall(r"[^\W\d_]\w*", last)
    metrics = [place for place, word in enumerate(found) if reads_as_metric(word)]
    if metrics:
        found = found[max(0, metrics[-1] - 1) : metrics[-1] + 1]
        found = found[1:] if len(found) > 1 and (found[0].lower() in _FILLERS or is_count(found[0])) else found
    return "_".join(found[-2:]).lower() if len(found) <= 3 else ""


_ABBREVIATIONS: Final = re.compile(
    r"\b(val|valid|trn?|avg|acc|max|min|std|tot|ep)\.\s", re.IGNORECASE
)  # ends no sentence
_FILLERS: Final = frozenset("the a an of is are with and has current its this our at in on for".split())
