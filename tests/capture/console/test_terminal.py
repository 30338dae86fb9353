from __future__ import annotations

from collections.abc import Iterable

import hypothesis
import pytest
from hypothesis import strategies as st

from screens import expected, trimmed
from trackbook.capture.console.terminal import HEIGHT, LONGEST, Terminal


def shown(texts: Iterable[str]) -> list[str]:
    """Return the lines of our terminal after some texts were written."""
    terminal = Terminal()
    found: list[str] = []
    for text in texts:
        terminal.feed("stdout", 0.0, None, text)
        found += [line[2] for line in terminal.finished()]
    return found + [line[2] for line in terminal.changing()]


def bar(i: int) -> str:
    return f"\r{i * 10:3}%|{'#' * i:10}| {i}/10 [00:00<00:01, {i + 0.5:.2f}it/s]"


SCREENS = {
    "plain": ["one\n", "two", " more\n\n", "three"],
    "crlf": ["one\r\ntwo\r\n", "three\r", "\nfour"],
    "colours": ["\x1b[1;31mred\x1b[0m and \x1b[38;5;12mblue\x1b[m\n\x1b[3", "2mgreen\x1b[0m\n"],
    "bar": [bar(i) for i in range(11)] + ["\n", "after\n"],
    "bar that is left": [bar(i) for i in range(11)] + ["\r" + " " * 60 + "\r", "after\n"],
    "longer under shorter": ["a long line\rshort\n", "a long line\r\x1b[Kshort"],
    "backspaces": ["50%\b\b\b51%\n", "\b\b\bx"],
    "tabs": ["a\tb\n\tc\n", "ab", "\tc\tä\tb\n"],
    "nested bars": [
        *(f"\r{bar(i)}\n\r  inner {i}\x1b[A" for i in range(5)),
        "\n\r         \r\x1b[A",
        "\nafter the bars\n",
    ],
    "live": [
        "\x1b[?25l",
        "a 1\nb 1\n",
        *(f"\r\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2Ka {i}\nb {i}\n" for i in range(9)),
        "\x1b[?25h",
    ],
    "live that is left": ["before\n", "a\nb\nc", "\r\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K", "after\n"],
    "scrolled": [f"line {i}\n" for i in range(350)] + ["last\x1b[5A\rover"],
    "scrolled at once": ["".join(f"line {i}\n" for i in range(350)) + "last", "\x1b[999A\rtop"],
    "cleared": ["one\ntwo\nthree", "\x1b[2J\x1b[H", "fresh\n"],
    "characters": ["abcdef\x1b[3Dxy\x1b[Xz\x1b[1K"],
    "margins": ["a\nb\nc\nd\x1b[1;3r\x1b[3;1H\nmore\nx\x1b[r"],
    "bar of apt": [
        "\x1b7\x1b[1;2r\x1b8Reading\n",
        "\x1b7\x1b[4;0f\x1b[42mProgress: [ 50%]\x1b[0m [####]\x1b8",
        "Done\n\x1b[J",
    ],
    "wide": ["日本語", "x\n", "\rab 語c\x1b[Dd\n"],
    "title": ["\x1b]0;a title\x07text \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n"],
    "bells": ["ding\x07 dong\x00\n"],
}


@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize("at_once", [True, False])
def test_lines_equal_those_of_pytes_screen(name: str, at_once: bool) -> None:
    texts = ["".join(SCREENS[name])] if at_once else SCREENS[name]
    assert trimmed(shown(texts)) == expected(texts)


TOKENS = st.one_of(
    st.sampled_from(["\n", "\r", "\r\n", "\b", "\t", "\x1b[m", "\x1b[K", "\x1b[1K", "\x1b[2K", "\x1b[J", "\x1b[1J"]),
    st.sampled_from(["\x1b[A", "\x1b[2B", "\x1b[C", "\x1b[4D", "\x1b[3G", "\x1bD", "\x1b[E"]),
    st.sampled_from(["\x1b[3X", "\x1b[2J", "\x1b[5;9H", "\n" * (HEIGHT - 3), "x\n" * 40]),
    st.text("abc de", min_size=1, max_size=12),
)


@hypothesis.given(st.lists(TOKENS, max_size=40), st.integers(1, 9))
def test_random_controls_equal_pytes_screen(tokens: list[str], size: int) -> None:
    text = "".join(tokens)
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert trimmed(shown([text])) == trimmed(shown(pieces)) == expected([text])


def test_controls_that_no_program_prints_are_ignored() -> None:
    """Only editors insert and delete lines and characters, on the alternate screen."""
    assert shown(["one\ntwo\r\x1b[L\x1b[M\x1b[2@\x1b[2P\x1bMx\x1bH\x1b[3g\x1b[4hy\n"]) == ["one", "xyo"]


@hypothesis.given(st.lists(st.text() | st.text("\x1b[]?;0123456789hHmKrlPX²\x07\\ \n\r\x9b\x9d")))
def test_no_text_raises(texts: list[str]) -> None:
    assert any("after" in line for line in shown([*texts, *["\x07m\nafter\n"] * 3]))


def test_half_overwritten_wide_character_becomes_a_blank() -> None:
    assert shown(["日本語\r.", "\n日本語\x1b[2D.", "\n日本語\r\x1b[Cxy\n"]) == [". 本語", "日本.", " xy 語"]


def test_accents_and_joined_emoji_stay_with_their_character() -> None:
    assert shown(["e", "\u0301!\b.\n", "👩\u200d💻 ok ✔\ufe0f done\r", "\n"]) == [
        "e\u0301.",
        "👩\u200d💻 ok ✔\ufe0f done",
    ]


def test_lines_are_never_wrapped() -> None:
    line = "x" * 10_000
    assert shown([f"{line}\n\r{line}", "y\b\bz\n"]) == [line, line[:-1] + "zy"]


@pytest.mark.parametrize("piece", [1_000_000, 3_000])
def test_start_of_an_endless_line_is_kept(piece: int) -> None:
    endless = "x" * 1_000_000
    found = shown([endless[at : at + piece] for at in range(0, len(endless), piece)] + ["\nafter\n"])
    assert found == ["x" * LONGEST + " ... 900,000 characters left out", "after"]


def test_a_cursor_sent_far_away_takes_no_memory() -> None:
    assert len("".join(shown(["\x1b[9999;9999Hx\x1b[9999Cy"] * 100))) < 10_000


def test_unfinished_sequence_swallows_no_text() -> None:
    assert shown(["\x1b]", "a" * 10_000, "\nafter\n"])[-1] == "after"


def test_an_editor_leaves_no_trace() -> None:
    texts = ["before\n", "\x1b[?1049h\x1b[2J\x1b[Hfile\n~\n~\n", "\n" * 200]
    assert shown(texts) == ["before"]
    assert shown([*texts, "\x1b[?1049l", "after\n"]) == ["before", "after"]


def test_line_has_stream_time_and_cell_of_its_first_character() -> None:
    terminal = Terminal()
    terminal.feed("stderr", 1.0, 1, " 0%|   |")
    terminal.feed("stderr", 2.0, 1, "\r10%|#  |")
    assert terminal.changing() == [(0, "stderr", "10%|#  |", 1.0, 1)]
    terminal.feed("stderr", 3.0, 1, "\r        \r")
    terminal.feed("stdout", 4.0, 2, "a message\nand")
    terminal.feed("stderr", 5.0, 2, " more\n")
    assert terminal.changing() == [(0, "stdout", "a message", 4.0, 2), (1, "stdout", "and more", 4.0, 2)]


TURNS = {
    "a bar's late newline": ([("e", "\r100%"), ("o", "first\n"), ("e", "\n"), ("e", "next\n")], "100%|first|next"),
    "a bar that goes on": ([("e", "\r 50%"), ("o", "step\n"), ("e", "\r100%"), ("e", "\n")], " 50%|step|100%"),
    "a newline in time": ([("e", "\r100%"), ("e", "\n"), ("o", "\n"), ("o", "x\n")], "100%||x"),
    "a line that goes on": (
        [("o", "a"), ("e", "warned\n"), ("o", "b\n"), ("o", "\n"), ("e", "end")],
        "a|warned|b||end",
    ),
    "neither ends": ([("o", "a"), ("e", "b"), ("o", "\n"), ("e", "\n"), ("o", "c")], "a|b|c"),
    "a bar above another": ([("e", "one\n\rtwo\x1b[A"), ("o", "x\n")], "onex|two"),
}


@pytest.mark.parametrize("turns", TURNS)
def test_lines_mix_no_streams_where_hosts_show_them_apart(turns: str) -> None:
    writes, lines = TURNS[turns]
    terminal = Terminal()
    for stream, text in writes:
        terminal.feed(stream, 0.0, None, text, apart=True)
    assert [line[2] for line in terminal.changing()] == lines.split("|")


def test_scrolled_lines_are_returned_once() -> None:
    terminal = Terminal()
    terminal.feed("stdout", 0.0, None, "".join(f"{i}\n" for i in range(HEIGHT + 3)))
    assert [line[:3] for line in terminal.finished()] == [(i, "stdout", str(i)) for i in range(4)]
    assert terminal.finished() == []
    assert [line[0] for line in terminal.changing()] == list(range(4, HEIGHT + 3))
