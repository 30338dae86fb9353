from __future__ import annotations

import pytest

from trackbook.capture.redact import redact, redact_arguments

HEX = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("id AKIAIOSFODNN7EXAMPLE.", "id [redacted]."),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AWS_SECRET_ACCESS_KEY=[redacted]"),
        (f"push ghp_{'a1B2' * 9} done", "push [redacted] done"),
        (f"github_pat_{'a1_B' * 9}", "[redacted]"),
        (f"login(token='hf_{'aBc' * 11}d')", "login(token='[redacted]')"),
        ("OpenAI(sk-proj-abcdefghijkl1234567890)", "OpenAI([redacted])"),
        ("sk-ant-api03-abcdefghijkl1234567890_-x", "[redacted]"),
        ("xoxb-123456789012-abcdefghijkl", "[redacted]"),
        (f"AIza{'a1-_B' * 7}", "[redacted]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc-d_e", "[redacted]"),
        (f"wandb.login(key='{HEX}')", "wandb.login(key='[redacted]')"),
        (f"WANDB_API_KEY={HEX}", "WANDB_API_KEY=[redacted]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE+a/b=\nQQ==\n-----END RSA PRIVATE KEY-----\nx", "[redacted]\nx"),
        ("password=hunter2 lr=3", "password=[redacted] lr=3"),
        ("DB_PASSWORD: 'with a space'", "DB_PASSWORD: '[redacted]'"),
        ('{"api_key": "abcdefgh", "lr": 1}', '{"api_key": "[redacted]", "lr": 1}'),
        ("clientSecret := abcdefgh", "clientSecret := [redacted]"),
        ("password: str = 'hunter22'", "password: str = '[redacted]'"),
        ("os.environ['API_KEY'] = b'abcdefgh'", "os.environ['API_KEY'] = b'[redacted]'"),
        ("token: abcdef1234567890XYZ", "token: [redacted]"),
        ("Authorization: Bearer abcdefghijklmnopq12", "Authorization: Bearer [redacted]"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: [redacted]"),
        ("!train --api-key XYZ1 --lr 3", "!train --api-key [redacted] --lr 3"),
        ("https://me:my-pass@host/x.git", "https://[redacted]@host/x.git"),
        (f"https://{'t0ken' * 5}@github.com/x", "https://[redacted]@github.com/x"),
        ("https://s3/x?X-Amz-Signature=0123456789abcdef&y=1", "https://s3/x?X-Amz-Signature=[redacted]&y=1"),
        ("postgresql://admin:s3cret@db:5432/runs", "postgresql://[redacted]@db:5432/runs"),
    ],
)
def test_a_secret_is_blotted_out_and_nothing_around_it(text: str, shown: str) -> None:
    assert redact(text) == shown
    assert redact(f"+ before {text}\n after") == f"+ before {shown}\n after"


ORDINARY = [
    "epoch 3/10  loss=0.1234 acc=0.987 lr=1e-3 token_count=5 tokens: 123 step 1200",
    "tokens/s: 12345.6 | next token: hello | token=17 | key: value | keys=['a', 'b']",
    f"HEAD is now at {HEX[:7]}; commit {HEX}; sha256:{HEX}{HEX[:24]}",
    'special tokens: pad_token="[PAD]", eos_token=</s>, unk_token: <unk>',
    "def login(user: str, password: str | None = None, token: str = ''):",
    "password = getpass.getpass('password: ')",
    "token = tokenizer.encode(text_1234567890123)",
    "api_key=os.environ['OPENAI_API_KEY'], password=args.password, secret=config.secret, api_key=API_KEY",
    "loading sk-convnext-tiny-patch-window-large, hf_hub_download, https://example.org:8080/a?key=b",
    "git@github.com:someone/project.git ssh://git@host/x https://host/@user/notes",
    "100%|██████████| 1000/1000 [00:10<00:00, 99.9it/s]",
    "the secret is out; passwords are hard; monkey=7; keyboard: us; PWD=/home/me",
    "from torch.utils.data import DataLoader  # Tokenizer(vocab=32_000)",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_output_and_code_stay_as_they_are(text: str) -> None:
    assert redact(text) == text


def test_a_private_key_that_was_cut_off_is_blotted_out() -> None:
    assert redact("cat key\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\nnNzaC1") == "cat key\n[redacted]"


def test_redacting_twice_changes_nothing_more() -> None:
    once = redact(f"password=hunter2 token: abcdef1234567890XYZ key={HEX} https://a:b@c")
    assert redact(once) == once


def test_lines_without_a_hint_are_not_searched_by_patterns(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_TOKEN", "_KEY_BLOCK", "_IN_URL", "_SIGNATURE", "_ASSIGNED", "_OPTION"):
        monkeypatch.setattr(f"trackbook.capture.redact.{name}", None)
    assert redact("step 100 | loss 0.53 | grad norm 1.2") == "step 100 | loss 0.53 | grad norm 1.2"


@pytest.mark.timeout(60)  # a pattern that at each place goes back over all before takes many minutes
@pytest.mark.parametrize(
    "text",
    [
        *("token: " * 20_000, "password" * 20_000, "-" * 100_000 + "token", "://" * 50_000),
        *("http://" + "a:" * 300_000, "-sk-abc" * 200_000, "-eyJ" * 150_000, "--a-key" * 100_000),
    ],
)
def test_a_long_text_is_gone_through_once(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["train.py", "--api-key", "XYZ", "--lr", "3"], ["train.py", "--api-key", "[redacted]", "--lr", "3"]),
        (["--password=a b"], ["--password=[redacted]"]),
        (["--hf-token", "abcdefg", "x"], ["--hf-token", "[redacted]", "x"]),
        (["--token", "--verbose"], ["--token", "--verbose"]),
        (["--max-token", "512", "--pad-token=<pad>"], ["--max-token", "512", "--pad-token=<pad>"]),
        (["--tokenizer", "gpt2", "--secret-santa", "bob"], ["--tokenizer", "gpt2", "--secret-santa", "bob"]),
        (["--url", "https://me:pw@host/"], ["--url", "https://[redacted]@host/"]),
        ([f"key={HEX}"], ["key=[redacted]"]),
    ],
)
def test_a_command_line_shows_no_secret(arguments: list[str], shown: list[str]) -> None:
    assert redact_arguments(arguments) == shown
