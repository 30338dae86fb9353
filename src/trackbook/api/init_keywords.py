"""Translation of `init` keywords of wandb, Trackio and SwanLab."""

from __future__ import annotations

from typing import Any

_SAME = {
    "experiment_name": "name",
    "description": "notes",
    "logdir": "dir",
    "log_dir": "dir",
    "gpu_log_interval": "system_seconds",
    "cpu_log_interval": "system_seconds",
    "server_url": "sync",
}
_CHOICES: dict[str, dict[Any, str]] = {
    "mode": {
        "local": "local",
        "disabled": "disabled",
        "online": "local",
        "offline": "local",
        "cloud": "local",
        "shared": "local",
        "dryrun": "local",
        None: "local",
    },
    "resume": {
        "never": "never",
        "allow": "allow",
        "must": "must",
        "auto": "allow",
        True: "allow",
        False: "never",
        None: "never",
    },
    "reinit": {
        "finish_previous": "finish_previous",
        "create_new": "create_new",
        "return_previous": "return_previous",
        "default": "finish_previous",
        True: "finish_previous",
        False: "finish_previous",
        None: "finish_previous",
    },
    "step_by": {"metric": "metric", "run": "run"},
    "stop": {"flag": "flag", "raise": "raise"},
    "on_bad_value": {"raise": "raise", "warn": "warn"},
}


def translate(
    given: dict[str, Any], choices: dict[str, Any], foreign: dict[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Return our keywords, completed from the `foreign` ones with the same meaning, and the names of unsupported keywords.

    Values of `choices` are translated. Raises ``ValueError`` for an unknown one.
    """
    words, ignored = dict(given), []
    for name, value in foreign.items():
        ours = _SAME.get(name)
        if ours is not None and words[ours] is None:
            words[ours] = value
        elif value is not None and (ours is None or value != words[ours]):
            ignored.append(name)
    for name, allowed in _CHOICES.items():
        words[name] = _one_of(name, choices[name], allowed)
    return words, ignored


def _one_of(name: str, value: Any, allowed: dict[Any, str]) -> str:
    try:
        return allowed[value]
    except (KeyError, TypeError):
        choices = ", ".join(repr(choice) for choice in dict.fromkeys(allowed.values()))
        raise ValueError(f"init({name}={value!r}): {name} is one of {choices}") from None
