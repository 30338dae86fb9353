"""Ids and readable names for runs and sessions."""

from __future__ import annotations

import secrets

_ADJECTIVES = (
    "amber bold brave bright brisk calm clear clever cosmic crisp dapper deft eager early fleet fond gentle glad golden "
    "happy hardy humble jolly keen kind light lively loyal lucid lucky mellow merry mild neat nimble noble patient plain "
    "polite proud quick quiet rapid ready rustic sage serene sharp silent smart smooth snug solid spry steady still "
    "sunny swift tidy vivid warm wise witty young zesty"
).split()
_NOUNS = (
    "acorn aspen badger beacon birch brook canyon cedar comet coral crane delta dune ember falcon fern finch fjord "
    "gecko glade grove harbor hare heron ibis island ivy jay kite lagoon lark lemur lotus lynx maple marten meadow "
    "mesa moss newt oak opal orchid otter owl pebble pine plover puffin quail raven reef river robin sparrow spruce "
    "stork summit swan thistle tide vale willow wren yew"
).split()
_ID_LETTERS = "0123456789abcdefghijkmnpqrstuvwxyz"  # without l and o, which look like 1 and 0


def new_id(length: int = 8) -> str:
    """Return a short random id; 40 bits at the default length."""
    return "".join(secrets.choice(_ID_LETTERS) for _ in range(length))


def readable_name(number: int) -> str:
    """Return a name for the `number`-th run of a project, such as ``brisk-otter-12``."""
    return f"{secrets.choice(_ADJECTIVES)}-{secrets.choice(_NOUNS)}-{number}"
