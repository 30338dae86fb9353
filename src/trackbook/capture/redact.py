"""Secrets in what is recorded, found by their looks and blotted out.

Own patterns: scanners such as detect-secrets report lines instead of blotting parts of them, and take as much time a line as
the console has for a thousand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

REDACTED: Final = "[redacted]"

# What keys of providers look like, by a text that each holds. A loose look must hold a digit: names of models begin `sk-`, too.
_TOKENS: Final = {
    "AKIA": r"AKIA[A-Z0-9]{16}(?![A-Za-z0-9])",  # AWS, for long and for a session
    "ASIA": r"ASIA[A-Z0-9]{16}(?![A-Za-z0-9])",
    "ghp_": r"ghp_[A-Za-z0-9]{30,}",  # GitHub: personal, OAuth, of users, servers, refresh, fine-grained
    "gho_": r"gho_[A-Za-z0-9]{30,}",
    "ghu_": r"ghu_[A-Za-z0-9]{30,}",
    "ghs_": r"ghs_[A-Za-z0-9]{30,}",
    "ghr_": r"ghr_[A-Za-z0-9]{30,}",
    "github_pat_": r"github_pat_\w{22,}",
    "glpat-": r"glpat-[\w-]{20,}",  # GitLab
    "hf_": r"hf_[A-Za-z0-9]{30,}",  # Hugging Face
    "sk-": r"sk-(?=[A-Za-z_-]{0,60}\d)[\w-]{20,}",  # OpenAI, Anthropic and others
    "_live_": r"[rs]k_live_[A-Za-z0-9]{16,}",  # Stripe
    "_test_": r"[rs]k_test_[A-Za-z0-9]{16,}",
    "gsk_": r"gsk_[A-Za-z0-9]{30,}",  # Groq
    "xai-": r"xai-[A-Za-z0-9]{30,}",
    "r8_": r"r8_[A-Za-z0-9]{30,}",  # Replicate
    "nvapi-": r"nvapi-[\w-]{30,}",
    "wandb_v1_": r"wandb_v1_\w{30,}",
    "dapi": r"dapi[0-9a-f]{32}",  # Databricks
    "xox": r"xox[abeoprs]-[\w-]{10,}",  # Slack
    "hooks.slack": r"hooks\.slack\.com/services/[\w/]+",
    "AIza": r"AIza[\w-]{35}",  # Google
    "ya29.": r"ya29\.[\w-]{20,}",
    "GOCSPX-": r"GOCSPX-[\w-]{20,}",
    "npm_": r"npm_[A-Za-z0-9]{30,}",
    "pypi-": r"pypi-AgE[\w-]{30,}",
    "SG.": r"SG\.[\w-]{16,}\.[\w-]{16,}",  # SendGrid
    "eyJ": r"eyJ[\w-]{8,2000}+\.[\w-]{8,}\.[\w-]*",  # JSON web tokens
    "earer": r"(?<=earer )[\w.~+/=-]{16,}",
}
# The character of each that a text most likely lacks: looking for one is ten times as quick.
_RARE: Final = {hint: min(hint, key=lambda char: (char.isalnum(), char.islower())) for hint in _TOKENS}
_TOKEN: Final = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_TOKENS.values())})")
_KEY_BLOCK: Final = re.compile(  # what is between the lines is base64, headers, and in code `\n`
    r"-----BEGIN [A-Z ]*PRIVATE KEY[A-Z ]*-----[\w+/=:,\s\\-]*?(?:-----END [A-Z ]*PRIVATE KEY[A-Z ]*-----|(?![\w+/=:,\s\\-]))"
)
_IN_URL: Final = re.compile(r"(?<=://)(?:[^\s/?#@:\"']*+:[^\s/?#@\"']*+|[\w%.~-]{16,}+)(?=@)")
_SIGNATURE: Final = re.compile(r"([?&](?:sig|signature|key|x-amz-[\w-]+)=)[^\s&#\"']{8,}", re.IGNORECASE)

# Names of what nobody but secrets is called, and of what may be ordinary: whether it is, its value says.
_STRONG: Final = (
    "password|passwd|passphrase|secret|secret[_-]?key|api[_-]?key|access[_-]?key|account[_-]?key|private[_-]?key|"
    "access[_-]?token|auth[_-]?token|refresh[_-]?token"
)
_NAMES: Final = rf"(?:(?P<strong>{_STRONG})|token|credentials?|authorization|key)"
_VALUE: Final = r"""(?P<value>"[^"\n]*"|'[^'\n]*'|(?:bearer |basic )?[^\s"',;&()\[\]}]+)(?P<after>[(\[]?)"""
_ASSIGNED: Final = re.compile(
    rf"""(?P<head>{_NAMES}["']?\]?(?:\s{{0,8}}:\s{{0,4}}(?:str|bytes|SecretStr|Optional\[str\])(?: \| None)?\s?=|\s{{0,8}}(?::=|=>|[:=]))\s{{0,8}}(?:[rbuf](?=["']))?){_VALUE}""",
    re.IGNORECASE,
)
_OPTION: Final = re.compile(rf"(?P<head>(?<![\w-])--?[\w-]{{0,40}}?{_NAMES}\s+)(?!-){_VALUE}", re.IGNORECASE)
_IS_SECRET_OPTION: Final = re.compile(rf"--?[\w-]*?(?:{_STRONG}|token|credentials?)", re.IGNORECASE)
_HINTS: Final = ("passw", "passphrase", "secret", "token", "key", "credential", "authorization")

# Values that are none: literals, placeholders, and code that gets the secret from elsewhere.
_NO_VALUE: Final = re.compile(
    r"(?:none|null|nil|true|false|undefined|str|string|bytes|int|float|bool|optional|secretstr|any|bearer|basic)?|[.*x]+|[<${%\[\\].*|"
    rf"(?:self|args?|opts?|os|config|cfg|conf|settings|env(?:iron)?|getpass|keyring|userdata|kwargs|params?)\..*|[\w.]*(?:{_STRONG}|token)s?",
    re.IGNORECASE,
)
_LIKE_A_KEY: Final = re.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[\w.~+/=:-]{16,}")
_ORDINARY: Final = re.compile(r"\d{0,6}|[<\[].*")  # `--max-token 512`, `--pad-token '<pad>'`
_HEX_KEY: Final = re.compile(r"[0-9a-f]{40}")
_LONG_ENOUGH: Final = 4


def redact(text: str) -> str:
    """`text` with ``[redacted]`` in place of what looks like a secret.

    Keys of well-known providers, private keys, passwords in URLs, and what is given to a name such as ``password`` or
    ``api_key``. To ``token`` and ``key`` also ordinary things are given: there it must look like a key.
    """
    for hint, rare in _RARE.items():
        if rare in text and hint in text:
            text = _TOKEN.sub(REDACTED, text)
            break
    if "PRIVATE KEY" in text:
        text = _KEY_BLOCK.sub(REDACTED, text)
    if "://" in text:
        text = _SIGNATURE.sub(rf"\1{REDACTED}", _IN_URL.sub(REDACTED, text))
    lower = text.lower()
    if any(hint in lower for hint in _HINTS):
        text = _ASSIGNED.sub(_blot, text)
        if "-" in text:
            text = _OPTION.sub(_blot, text)
    return text


def redact_arguments(arguments: Sequence[str]) -> list[str]:
    """A command line without its secrets: also the argument that follows ``--password``, whatever it looks like."""
    shown = []
    hidden = False
    for argument in arguments:
        name, equals, value = argument.partition("=")
        secret = _IS_SECRET_OPTION.fullmatch(name) is not None
        if hidden and not argument.startswith("-") and not _ORDINARY.fullmatch(argument):
            shown.append(REDACTED)
        elif secret and equals and not _ORDINARY.fullmatch(value):
            shown.append(f"{name}={REDACTED}")
        else:
            shown.append(redact(argument))
        hidden = secret and not equals
    return shown


def _blot(match: re.Match[str]) -> str:
    value = match["value"]
    bare = value.strip("\"'")
    if not _is_secret(bare, strong=match["strong"] is not None, key=match["head"], quoted=bare != value):
        return match[0]
    if match["after"] and bare == value:
        return match[0]  # code that asks for the secret
    quote = value[0] if bare != value else ""
    return f"{match['head']}{quote}{REDACTED}{quote}{match['after']}"


def _is_secret(value: str, *, strong: bool, key: str, quoted: bool) -> bool:
    if len(value) < _LONG_ENOUGH or _NO_VALUE.fullmatch(value):
        return False
    if strong:
        return quoted or not value.endswith((":", "..."))
    name = key.lower().strip("-\"' :=>]")
    if name == "authorization":
        return True
    return (_HEX_KEY if name == "key" else _LIKE_A_KEY).fullmatch(value) is not None
