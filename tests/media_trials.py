"""Trials of a program that logs media and is killed at a random moment: what of its returned calls the next opener finds.

`trial` is for tests and benchmarks alike.
"""

from __future__ import annotations

import mmap
import random
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trackbook.media.files import MediaFiles
from trackbook.store.paths import files_folder
from trackbook.tracking.logged_media import rows_of
from trackbook.tracking.project import Project

SIDE = 64
LONGEST = 1.5  # seconds of logging: the store is flushed once a second
PROGRAM = """
import mmap, struct, sys
import numpy as np
import trackbook as tb
folder, shared, seed, side = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with open(shared, "r+b") as file:
    returned = mmap.mmap(file.fileno(), 8)
dice = np.random.default_rng(seed)
tb.init("killed", dir=folder)
call = 0
while True:
    pixels = dice.integers(0, 255, (side, side), np.uint8)
    pixels[0, :2] = call % 256, call // 256
    tb.log({"a": [tb.Image(pixels, caption=str(call)), tb.Text(str(call))], "loss": float(call)})
    call += 1
    struct.pack_into("<q", returned, 0, call)
"""


class Outcome(NamedTuple):
    """The outcome of one killed program."""

    returned: int  # calls that had returned when it was killed
    lost: int  # of those, the ones whose two rows are not there with their files
    damaged: int  # files whose content is not what their name says, or not what was logged
    state: str


def trial(folder: Path, seed: int) -> Outcome:
    """Start a program that logs in the empty `folder`, kill it, and open the folder again."""
    shared = folder / "returned"
    shared.write_bytes(bytes(8))
    command = [sys.executable, "-c", PROGRAM, str(folder), str(shared), str(seed), str(SIDE)]
    with shared.open("r+b") as file, mmap.mmap(file.fileno(), 8) as calls:
        program = subprocess.Popen(command)
        try:
            while _read(calls) == 0 and program.poll() is None:
                time.sleep(0.001)
            time.sleep(random.Random(seed).uniform(0, LONGEST))
        finally:
            program.kill()
            program.wait()
        returned = _read(calls)
    return _open(folder, returned)


def _read(calls: mmap.mmap) -> int:
    return int(struct.unpack_from("<q", calls)[0])


def _open(folder: Path, returned: int) -> Outcome:
    import PIL.Image

    project = Project("killed", folder)
    project.recover()
    (record,) = project.store.runs()
    rows = rows_of(project.store, record.id)
    project.store.close()
    files = MediaFiles(folder / files_folder("killed"))
    whole: dict[int, int] = {}
    damaged = 0
    for row in rows:
        assert row.file is not None
        path = files.path(row.file)
        if row.kind == "image":
            with PIL.Image.open(path) as picture:
                first = np.asarray(picture)[0, :2].astype(int)
            is_right = row.caption == str(row.step) and first[0] + 256 * first[1] == row.step
        else:
            is_right = path.read_text() == str(row.step)
        if not files.is_whole(row.file) or not is_right:
            damaged += 1
        else:
            whole[row.step] = whole.get(row.step, 0) + 1
    lost = sum(whole.get(call) != 2 for call in range(returned))
    return Outcome(returned, lost, damaged, record.state)
