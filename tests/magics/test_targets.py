from __future__ import annotations

import pytest

from trackbook.magics.targets import join_arrows, parse_target, parse_targets, split_words, unquoted


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("  loss   acc ", ["loss", "acc"]),
        ('m=log["val loss"] x', ['m=log["val loss"]', "x"]),
        ("f(a, b) c", ["f(a, b)", "c"]),
        ("--name 'two words'", ["--name", "'two words'"]),
        ("d[')'] e", ["d[')']", "e"]),
    ],
)
def test_words_end_at_blanks_outside_of_quotes_and_brackets(line: str, words: list[str]) -> None:
    assert split_words(line) == words


@pytest.mark.parametrize(("line", "sign"), [("f(a", ")"), ("'a", "'"), ("d[(", ")")])
def test_unclosed_quote_or_bracket_is_an_error(line: str, sign: str) -> None:
    with pytest.raises(ValueError, match="lacks a closing") as caught:
        split_words(line)
    assert str(caught.value).endswith(sign)


@pytest.mark.parametrize(("word", "plain"), [("'a b'", "a b"), ('"a"', "a"), ("a", "a"), ("'", "'"), ("'a\"", "'a\"")])
def test_a_word_loses_the_quotes_around_it(word: str, plain: str) -> None:
    assert unquoted(word) == plain


@pytest.mark.parametrize(
    ("word", "metric", "source"),
    [
        ("loss", "loss", "loss"),
        ("opt.lr", "opt.lr", "opt.lr"),
        ("lr=opt.lr", "lr", "opt.lr"),
        ("val/acc=acc", "val/acc", "acc"),
        ("acc->val/acc", "val/acc", "acc"),
        ("acc -> 'val acc'", "val acc", "acc"),
        ('"val acc"=acc', "val acc", "acc"),
        ("a==b", "a==b", "a==b"),
        ("f(x=1)", "f(x=1)", "f(x=1)"),
        ("m=a==b", "m", "a==b"),
        ("größe=x", "größe", "x"),
    ],
)
def test_target_has_a_metric_and_an_expression(word: str, metric: str, source: str) -> None:
    what = parse_target(word)
    assert (what.metric, what.source) == (metric, source)


@pytest.mark.parametrize("word", ["a+", "a=", "1 2", "x->", "if", "\0"])
def test_word_that_is_not_an_expression_is_an_error(word: str) -> None:
    with pytest.raises(ValueError):
        parse_target(word)


@pytest.mark.parametrize("word", ["m=(x:=1)", "m=(yield)", "m=(await f())"])
def test_expression_with_side_effects_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="has side effects"):
        parse_target(word)


def test_arrows_join_their_words() -> None:
    assert join_arrows(["a", "b", "->", "c/b", "d->", "e"]) == ["a", "b->c/b", "d->e"]


@pytest.mark.parametrize("words", [["->", "a"], ["a", "->"]])
def test_arrow_without_both_sides_is_an_error(words: list[str]) -> None:
    with pytest.raises(ValueError, match="lacks a side"):
        join_arrows(words)


def test_two_targets_with_one_metric_are_an_error() -> None:
    with pytest.raises(ValueError, match="two targets have the metric 'loss'"):
        parse_targets(["loss", "loss=x"])
