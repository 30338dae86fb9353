"""Media of Aim's repositories are those that its own reader reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from peer_stores.scripts import run_script

pytest.importorskip("aim", reason="has no wheels for this Python")

WRITE = """
import aim, numpy as np
repo = aim.Repo.from_path(".", init=True)
run = aim.Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False, log_system_params=False)
numbers = np.random.default_rng(1)
for step in (0, 1, 5):
    pictures = [aim.Image(numbers.integers(0, 255, (4, 5, 3), np.uint8), caption=f"cat {n}") for n in range(3)]
    run.track(pictures[0], name="picture", step=step, context={"place": "media of aim"})
    run.track(pictures[1:], name="pictures", step=step)
    run.track(aim.Image(numbers.integers(0, 255, (4, 5), np.uint8), format="jpeg"), name="grey", step=step)
    run.track(aim.Text(f"words {step}"), name="words", step=step)
    run.track(aim.Distribution(numbers.normal(size=1000), bin_count=20), name="weights", step=step)
    run.track(aim.Audio(numbers.integers(-9, 9, 800, np.int16), rate=8000, format="wav"), name="sound", step=step)
    run.track(step / 2, name="loss", step=step, context={"place": "media of aim"})
run.close()
"""
KINDS = {
    "picture": "image",
    "pictures": "image",
    "grey": "image",
    "words": "text",
    "weights": "histogram",
    "sound": "audio",
}


def theirs(folder: Path) -> dict[tuple[str, int, int], tuple[float, Any]]:
    """Return time and value by name, step and item, as Aim's own reader gives them."""
    import aim
    from aim.sdk.sequence_collection import SingleRunSequenceCollection
    from aim.sdk.sequences.audio_sequence import Audios
    from aim.sdk.sequences.distribution_sequence import Distributions
    from aim.sdk.sequences.image_sequence import Images
    from aim.sdk.sequences.text_sequence import Texts

    repo = aim.Repo(str(folder))
    repo._recreate_index()  # as `aim storage reindex`
    (run,) = aim.Repo(str(folder)).iter_runs()
    found: dict[tuple[str, int, int], tuple[float, Any]] = {}
    for kind in (Images, Texts, Distributions, Audios):
        for sequence in SingleRunSequenceCollection(run, kind):
            steps, (values, _, times) = sequence.data.items_list()
            for step, value, time in zip(steps, values, times, strict=True):
                for item, one in enumerate(value if isinstance(value, list) else [value]):
                    found[sequence.name, step, item] = (time, one)
    return found


def test_media_are_those_that_aim_reads(tmp_path: Path) -> None:
    run_script(WRITE, tmp_path)
    (run,) = tb.import_from(tmp_path)  # before anything has put it into the index of the repository
    read = theirs(tmp_path)
    media = {(one.metric.removeprefix("media of aim/"), one.step, one.item): one for one in run.media()}
    assert media.keys() == read.keys()
    assert len(media) == 21
    assert {one.metric for one in run.media()} == KINDS.keys() - {"picture"} | {"media of aim/picture"}
    for (name, step, item), (time, value) in read.items():
        one = media[name, step, item]
        assert (one.kind, one.time) == (KINDS[name], time)
        if one.kind == "histogram":
            assert [part.tolist() for part in one.read()] == [part.tolist() for part in value.to_np_histogram()]
            continue
        assert one.path is not None
        content = value.storage["data"].load()
        assert one.path.read_bytes() == (content.encode() if isinstance(content, str) else content)
        assert (one.caption or "") == ("" if one.kind == "text" else value.storage["caption"])
    assert run.history("media of aim/loss")["step", "value"].rows() == [(0, 0.0), (1, 0.5), (5, 2.5)]


def test_run_that_has_grown_gets_the_rest_of_its_media(tmp_path: Path) -> None:
    run_script(WRITE, tmp_path)
    (run,) = tb.import_from(tmp_path)
    more = "run = aim.Run(run_hash={id!r}, repo='.', system_tracking_interval=None, capture_terminal_logs=False)\n"
    more += "run.track(aim.Text('late'), name='words', step=9)\n"
    more += "run.track(aim.Text('first'), name='a late name', step=0)\nrun.close()\n"
    run_script("import aim\n" + more.format(id=run.id), tmp_path)
    before = sorted((one.metric, one.step, one.item) for one in run.media())
    (again,) = tb.import_from(tmp_path)
    after = sorted((one.metric, one.step, one.item) for one in again.media())
    assert after == sorted([*before, ("a late name", 0, 0), ("words", 9, 0)])
