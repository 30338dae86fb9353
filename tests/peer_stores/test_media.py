"""Media that other trackers wrote come along."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest

import trackbook as tb
from peer_stores.scripts import run_script

SCRIPTS = {
    "wandb": """
import numpy as np, PIL.Image, wandb
with wandb.init(project="theirs", mode="offline") as run:
    picture = PIL.Image.new("RGB", (3, 2), (10, 20, 30))
    run.log({"picture": wandb.Image(picture, caption="a cat"), "loss": 1})
    run.log({"list": [wandb.Image(picture), wandb.Image(picture)], "words": wandb.Html("<b>words</b>")})
    run.log({"table": wandb.Table(columns=["a", "b"], data=[[1, "x"], [2, "y"]]), "histogram": wandb.Histogram([1, 2, 2])})
""",
    "swanlab": """
import PIL.Image, swanlab
swanlab.init(project="theirs", mode="offline", logdir="swanlog")
picture = PIL.Image.new("RGB", (3, 2), (10, 20, 30))
swanlab.log({"picture": swanlab.Image(picture, caption="a cat"), "loss": 1})
swanlab.log({"list": [swanlab.Image(picture), swanlab.Image(picture)], "words": swanlab.Text("words")})
swanlab.finish()
""",
    "trackio": """
import PIL.Image, trackio
trackio.init(project="theirs", name="x", embed=False)
picture = PIL.Image.new("RGB", (3, 2), (10, 20, 30))
trackio.log({"picture": trackio.Image(picture, caption="a cat"), "loss": 1})
trackio.log({"words": trackio.Markdown("words"), "histogram": trackio.Histogram([1, 2, 2])})
trackio.finish()
""",
}
KINDS = {
    "wandb": {"list": "image", "words": "html", "table": "table", "histogram": "histogram"},
    "swanlab": {"list": "image", "words": "text"},
    "trackio": {"words": "markdown", "histogram": "histogram"},
}


@pytest.mark.parametrize("tracker", list(SCRIPTS))
def test_media_come_along(tracker: str, tmp_path: Path) -> None:
    run_script(SCRIPTS[tracker], tmp_path, TRACKIO_DIR=str(tmp_path))
    (run,) = tb.import_from(tmp_path, tracker)
    found = {each.metric: each for each in run.media()}
    assert {name: each.kind for name, each in found.items()} == {"picture": "image"} | KINDS[tracker]
    picture = found["picture"]
    assert (picture.caption, picture.step) == ("a cat", 0)
    with PIL.Image.open(picture.path) as image:
        assert (image.size, image.convert("RGB").getpixel((2, 1))) == ((3, 2), (10, 20, 30))
    assert sum(each.metric == "list" for each in run.media()) == (2 if "list" in KINDS[tracker] else 0)
    assert run.history("loss")["value"].to_list() == [1]
