"""Masking of secrets in recorded text.

Providers publish the prefixes of their tokens; `tests/store/test_redact.py` compares ours with the rules of detect-secrets. That
package is not used: it reports lines instead of masking parts of them, needs `requests` and PyYAML, and takes as long for one line as
this module for a thousand. Every pattern takes time linear in the text, as tests check for each, because `re` keeps the GIL.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Final

REDACTED: Final = "[redacted]"

# Prefixes of tokens: followed by at least 16 letters and digits, or also by other characters, in parts separated by dots.
_BEFORE_LETTERS: Final = tuple(
    "ghp_ gho_ ghu_ ghs_ ghr_ npm_ rubygems_ CLOJARS_ AKCp cmVmd sgp_ rdme_ hf_ api_org_ gsk_ xai- r8_ pplx- tgp_v1_ csk- pcsk_ "
    "jina_ e2b_ rpa_ KGAT_ tvly-dev- tvly-prod- LTAI dop_v1_ doo_v1_ dor_v1_ nfp_ sbp_ glc_ sntryu_ pnu_ whsec_ sk_live_ sk_test_ "
    "sk_prod_ rk_live_ rk_test_ rk_prod_ EZAK EZTK shippo_live_ shippo_test_ shpat_ shpca_ shppa_ shpss_ lin_api_ ntn_ sm_aat_ "
    "sm_pat_ sm_sat_ EAACEdEose0cBA pul-".split()
)
_BEFORE_ANY: Final = tuple(
    "github_pat_ glpat- gldt- glft- glffct- glimt- glptt- glrt- glsoat- glagent- gloas- glcbt- GR1348941 pypi-AgE dckr_pat_ dckr_oat_ "
    "CCIPAT_ PMAK- ATATT3 ATCTT3 sk-ant- nvapi- wandb_v1_ lsv2_pt_ lsv2_sk_ eyJhcGlf eyJrIjoi ABSK bedrock-api-key- GOCSPX- ya29. tskey- fo1_ "
    "fm1a_ fm1r_ fm2_ HRKU- pscale_tkn_ pscale_pw_ pscale_oauth_ hvs. hvb. dp.pt. dp.st. dt0c01. glsa_ sntrys_ NRAK- ops_eyJ "
    "AGE-SECRET-KEY-1 sha256~ tk-us- xapp- sq0atp- sq0csp- SG. xkeysib- FLWSECK figd_ fio-u- duffel_test_ duffel_live_ tfp_ p8e- "
    "dnkey- s-s4t2ud- s-s4t2af-".split()
)
_DIGIT: Final = r"(?=[A-Za-z_-]{0,60}\d)"  # required, because there are models named `sk-convnext-...`
_PART: Final = r"[\w~+/=-]"
# Other shapes of tokens, by a text that each contains.
_SHAPES: Final = {
    "tbk_": r"tbk_[0-9a-f]{8}_[\w-]{32}",  # of `trackbook token create`
    "AKIA": r"AKIA[A-Z0-9]{16}(?![A-Za-z0-9])",
    "ASIA": r"ASIA[A-Z0-9]{16}(?![A-Za-z0-9])",
    "ABIA": r"ABIA[A-Z0-9]{16}(?![A-Za-z0-9])",
    "ACCA": r"ACCA[A-Z0-9]{16}(?![A-Za-z0-9])",
    "A3T": r"A3T[A-Z0-9]{17}(?![A-Za-z0-9])",
    "AIza": r"AIza[\w-]{35}",
    "dapi": r"dapi[0-9a-f]{32}(?![A-Za-z0-9])",
    "ico-": r"ico-[A-Za-z0-9]{32}(?![A-Za-z0-9])",
    "1//0": r"1//0[\w-]{30,}",
    "sk-": rf"sk-{_DIGIT}[\w-]{{20,}}",
    "API-": r"API-(?=[A-Z]{0,25}\d)[A-Z0-9]{26}(?![A-Za-z0-9])",
    "4b1d": r"4b1d[A-Za-z0-9]{38}(?![A-Za-z0-9])",
    "SK": r"SK(?=[a-z]{0,31}\d)[0-9a-z]{32}(?![A-Za-z0-9])",
    "AC": r"AC(?=[a-z]{0,31}\d)[0-9a-z]{32}(?![A-Za-z0-9])",
    "EAAA": r"EAAA[\w-]{22,}",
    "EAAM": r"EAAM[A-Za-z0-9]{100,}",
    "EAAC": r"EAAC[A-Za-z0-9]{100,}",
    "A3-": r"A3-[A-Z0-9]{6}-[A-Z0-9-]{22,}",
    "xox": r"xox[abeoprs]-[\w-]{8,}",
    "eyJ": r"(?<![\w-])eyJ[\w-]{8,}+\.[\w-]{8,}+\.[\w-]*",  # JSON web tokens
    "pat": r"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}",
    "v1.0-": r"v1\.0-[a-f0-9]{24}-[a-f0-9]{100,}",  # Cloudflare
    "-us": r"[0-9a-z]{32}-us\d{1,2}(?!\w)",  # Mailchimp
    "atlasv1": r"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,}",
    "Q~": r"[\w~.]{3}\dQ~[\w~.-]{31,34}(?![\w~-])",  # Azure
    ":AA": r"\d{8,10}:AA[\w-]{33}(?![\w-])",  # Telegram
    "_mmk": r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk",
    "hooks.slack": r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[\w+/]+",
    "/webhooks/": r"discord(?:app)?\.com/api/webhooks/\d+/[\w-]+",
    "/v2/hook/": r"open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/[\w-]+",
    "webhook.office": r"webhook\.office\.com/webhookb2/[\w@/-]+",
}
_DISCORD: Final = re.compile(r"(?<![\w.-])[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}")
_LONG_RUN: Final = re.compile(r"[!-~]{16,}+")  # every token contains one
_BEARER: Final = re.compile(r"(?<=earer )[\w.~+/=-]{16,}")

_KEY_BLOCK: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}+-----")
_KEY_BODY: Final = re.compile(r"[\w+/=:,\s\\'\"-]*+")  # base64, headers, and in code `\n` and quotes
_KEY_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}+-----")
# Up to the last `@`, since passwords may contain `@` and `/`; but digits before a `/` are a port.
_IN_URL: Final = re.compile(
    r"(?<=://)(?:[^\s/?#@:\"'<>]{0,200}+:(?!\d{1,5}(?:[/?#\s\"'<>,;)\]}]|\Z))[^\s?#\"'<>]{0,300}(?=@[\w\[])"
    r"|[\w%.~-]{16,}+(?=@))"
)
_SIGNATURE: Final = re.compile(r"([?&](?:sig|signature|key|x-amz-[\w-]{1,40})=)[^\s&#\"']{8,}", re.IGNORECASE)
_NETRC: Final = re.compile(r"(\blogin\s{1,8}\S{1,200}+\s{1,8}password\s{1,8})[^\s\[]\S*", re.IGNORECASE)
_COOKIE: Final = re.compile(r"(\b(?:set-)?cookie:[ \t]{0,4})[^\n\"'\[]{8,}", re.IGNORECASE)
_CURL: Final = re.compile(r"(\bcurl\b[^\n]{0,300}?[ \t](?:-u|--user)[ =]{1,2}[\"']?[^\s:\"']{1,100}+:)[^\s\"'\[]+")

# Names that only secrets have, and names that ordinary values have, too: there the value decides.
_STRONG: Final = (
    "password|passwd|passphrase|secret|secret[_-]?key|api[_-]?key|access[_-]?key|account[_-]?key|private[_-]?key|"
    "access[_-]?token|auth[_-]?token|refresh[_-]?token"
)
_NAMES: Final = rf"(?:(?P<strong>{_STRONG})|token|credentials?|authorization|key|(?<![A-Za-z])(?:auth|pass|pwd))"
_VALUE: Final = r"""(?P<value>\\{1,3}"[^"\n\\]*\\{1,3}"|"[^"\n]*"|'[^'\n]*'|(?:bearer |basic )?[^\s"',;&()\[\]}]+)(?P<after>[(\[]?)"""
_ASSIGNED: Final = re.compile(
    rf"""(?P<head>{_NAMES}\\{{0,3}}["']?\]?(?:\s{{0,8}}:\s{{0,4}}(?:str|bytes|SecretStr|Optional\[str\])(?: \| None)?\s?=|\s{{0,8}}(?::=|=>|[:=]))\s{{0,8}}(?:[rbuf](?=["']))?){_VALUE}""",
    re.IGNORECASE,
)
_OPTION: Final = re.compile(
    rf"(?P<head>(?<![\w-])--?[\w-]{{0,40}}?{_NAMES}(?:=|\s{{1,8}}))(?!-){_VALUE}", re.IGNORECASE
)
_HINTS: Final = ("pass", "pwd", "secret", "token", "key", "credential", "auth")

# Values that are not secrets: literals, placeholders, and code that reads the secret from elsewhere.
_NO_VALUE: Final = re.compile(
    r"(?:none|null|nil|true|false|undefined|str|string|bytes|int|float|bool|optional|secretstr|any|bearer|basic)?|[.*x]+|[<${%\[\\].*|"
    rf"(?:self|args?|opts?|os|config|cfg|conf|settings|env(?:iron)?|getpass|keyring|userdata|kwargs|params?)\..*|[\w.]*(?:{_STRONG}|token)s?",
    re.IGNORECASE,
)
_LIKE_A_KEY: Final = re.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[\w.~+/=:-]{16,}")
_LIKE_A_PASSWORD: Final = re.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[^\s<>\[\]/~$][^\s<>\[\]]{7,}")
_HEX_KEY: Final = re.compile(r"(?=[a-f]*\d)(?=\d*[a-f])(?:[0-9a-f]{32}|[0-9a-f]{40})")
_LONG_ENOUGH: Final = 4

# Names of options on a command line, and of settings.
_SECRET_NAME: Final = re.compile(
    rf"(?:.*[^a-z])?(?:{_STRONG}|secrets|passwords?|pass|pwd|pin[_-]?code|credentials?|client[_-]?secret)[_-]?\d*",
    re.IGNORECASE,
)
_CAMEL_NAME: Final = re.compile(
    r"[a-z0-9]*(?:Password|Passphrase|Secret|ApiKey|AccessKey|SecretKey|PrivateKey|Credentials?)"
)
_MAYBE_NAME: Final = re.compile(r"(?:.*[^a-z])?(?:token|key|auth|authorization|cookie)", re.IGNORECASE)
_SECRET_OPTION: Final = re.compile(
    rf"--?(?:[\w-]*[-_])?(?:{_STRONG}|token|credentials?|auth|pin|pass|pwd)", re.IGNORECASE
)
_ORDINARY: Final = re.compile(r"\d{0,6}|[<\[].*")  # `--max-token 512`, `--pad-token '<pad>'`


def redact(text: str) -> str:
    """Return `text` with ``[redacted]`` in place of each part that looks like a secret.

    Secrets are tokens of well-known providers, private keys, passwords in URLs, cookies, and values of names such as ``password`` or
    ``api_key``. Ordinary values are also named ``token`` and ``key``: those are masked only if they look like keys.
    """
    text = _mask_tokens(text)
    if "-----BEGIN " in text:
        text = _mask_key_blocks(text)
    if "://" in text:
        text = _SIGNATURE.sub(rf"\1{REDACTED}", _IN_URL.sub(REDACTED, text))
    if "curl" in text:
        text = _CURL.sub(rf"\1{REDACTED}", text)
    lower = text.lower()
    if "cookie:" in lower:
        text = _COOKIE.sub(rf"\1{REDACTED}", text)
    if any(hint in lower for hint in _HINTS):
        if "login" in lower:
            text = _NETRC.sub(rf"\1{REDACTED}", text)
        text = _ASSIGNED.sub(_mask_value, text)
        if "-" in text:
            text = _OPTION.sub(_mask_value, text)
    return text


def redact_arguments(arguments: Sequence[str]) -> list[str]:
    """Return a command line without its secrets. The argument after an option such as ``--password`` is always one."""
    shown = []
    before = ""
    for argument in arguments:
        name, equals, value = argument.partition("=")
        after_secret = before and not argument.startswith("-") and _is_secret_argument(before, argument)
        if after_secret:
            shown.append(REDACTED)
        elif equals and _is_secret_argument(name, value):
            shown.append(f"{name}={REDACTED}")
        else:
            shown.append(redact(argument))
        before = argument if argument.startswith("-") and not equals else ""
    return shown


def is_secret(name: str, value: object) -> bool:
    """Whether a setting is a secret. With an ambiguous name (``token``, ``key``) its value must look like a key."""
    if value is None or isinstance(value, bool | float) or value == "":  # `pass` is also the share of tests that pass
        return False
    if isinstance(value, int) and len(str(value)) < _LONG_ENOUGH:
        return False
    if _SECRET_NAME.fullmatch(name) or _CAMEL_NAME.fullmatch(name):
        return not isinstance(value, str) or not _NO_VALUE.fullmatch(value)
    if not isinstance(value, str) or not _MAYBE_NAME.fullmatch(name):
        return False
    pattern = _HEX_KEY if name.lower() == "key" else _LIKE_A_PASSWORD if name.lower().endswith("token") else _LIKE_A_KEY
    return pattern.fullmatch(value) is not None


def is_secret_name(name: str) -> bool:
    """Whether only secrets have this name, so that all values nested below it are secrets."""
    return _SECRET_NAME.fullmatch(name) is not None or _CAMEL_NAME.fullmatch(name) is not None


def _mask_tokens(text: str) -> str:
    runs = _LONG_RUN.findall(text)
    if runs:
        found = "\n".join(runs)
        if prefixes := tuple(prefix for prefix in _BEFORE_LETTERS + _BEFORE_ANY if prefix in found):
            text = _of_prefixes(prefixes).sub(REDACTED, text)
        for hint in _SHAPES:
            if hint in found:
                text = _of_shape(hint).sub(REDACTED, text)
        if any(run.count(".") >= 2 for run in runs):
            text = _DISCORD.sub(REDACTED, text)
        if "earer " in text:
            text = _BEARER.sub(REDACTED, text)
    return text


@functools.cache
def _of_shape(hint: str) -> re.Pattern[str]:
    """Return the pattern of one of `_SHAPES`. Few are ever needed, and to compile all takes 3 ms."""
    return re.compile(rf"(?<![A-Za-z0-9])(?:{_SHAPES[hint]})")


@functools.lru_cache(maxsize=64)
def _of_prefixes(prefixes: tuple[str, ...]) -> re.Pattern[str]:
    letters = "|".join(re.escape(prefix) for prefix in prefixes if prefix in _BEFORE_LETTERS) or "(?!)"
    others = "|".join(re.escape(prefix) for prefix in prefixes if prefix in _BEFORE_ANY) or "(?!)"
    rest = rf"{_PART}{{16,}}+(?:\.{_PART}{{6,}}+){{0,4}}"
    return re.compile(rf"(?<![A-Za-z0-9])(?:(?:{letters})[A-Za-z0-9+/]{{16,}}+=*|(?:{others}){rest})")


def _mask_key_blocks(text: str) -> str:
    """Mask private keys from their first line to their last, or to the end of the base64 text if the last line is missing."""
    shown, at, end = [], 0, _KEY_END.search(text)
    for begin in _KEY_BLOCK.finditer(text):
        if begin.start() < at or "PRIVATE KEY" not in begin[0]:
            continue
        if end is not None and end.start() < begin.end():  # searched once for all blocks that begin before it
            end = _KEY_END.search(text, begin.end())
        stop = len(text) if end is None else end.start()
        body = _KEY_BODY.match(text, begin.end(), stop)
        shown += [text[at : begin.start()], REDACTED]
        at = begin.end() if body is None else body.end()
        at = end.end() if end is not None and at == stop else at
    return "".join([*shown, text[at:]])


def _mask_value(match: re.Match[str]) -> str:
    value = match["value"]
    bare = value.strip("\\\"'")
    quoted = value[0] in "\\\"'"
    if not _is_secret_value(bare, strong=match["strong"] is not None, key=match["head"], quoted=quoted):
        return match[0]
    if match["after"] and not quoted:
        return match[0]  # code that reads the secret
    quote = value[: len(value) - len(value.lstrip("\\\"'"))] if quoted else ""
    return f"{match['head']}{quote}{REDACTED}{quote}{match['after']}"


def _is_secret_value(value: str, *, strong: bool, key: str, quoted: bool) -> bool:
    if len(value) < _LONG_ENOUGH or _NO_VALUE.fullmatch(value):
        return False
    if strong:
        return quoted or not value.endswith((":", "..."))
    name = key.lower().strip("-\\\"' :=>]")
    if name == "authorization":
        return True
    if name.endswith(("pass", "pwd")):
        return quoted and _LIKE_A_PASSWORD.fullmatch(value) is not None
    if key.startswith("-") and name.endswith(("token", "auth")):
        return _LIKE_A_PASSWORD.fullmatch(value) is not None
    return (_HEX_KEY if name == "key" else _LIKE_A_KEY).fullmatch(value) is not None


def _is_secret_argument(name: str, value: str) -> bool:
    """Whether `value` is given to an option, or to a setting in Hydra's syntax, with the name of a secret."""
    if not name.startswith("-"):
        return is_secret(name, value) or (_MAYBE_NAME.fullmatch(name) is not None and _is_key_of(name, value))
    if name == "-p":
        return _LIKE_A_PASSWORD.fullmatch(value) is not None and not re.search(r"[./]", value)
    if _SECRET_NAME.fullmatch(name.lstrip("-")):
        return bool(value) and not _NO_VALUE.fullmatch(value)
    return _SECRET_OPTION.fullmatch(name) is not None and (
        name.lower().endswith("pin") or not _ORDINARY.fullmatch(value)
    )


def _is_key_of(name: str, value: str) -> bool:
    """Whether this is the key of a service, as `wandb_key=...` is, but `sort_key=loss` is not."""
    return name.lower() not in ("key", "token") and _LIKE_A_PASSWORD.fullmatch(value) is not None
