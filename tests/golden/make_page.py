"""Makes the golden file of the points in an exported page.

`python tests/golden/make_page.py` writes it. `tests/boards/test_exported_page.py` makes it again and compares, and `js` reads it.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

from trackbook.boards.exported_page import pack_points

FILE = Path(__file__).parent / "page" / "points.json"

STEPS = [0, 1, 2, 5, 1_000_000, 2**40]
TIMES = [1_800_000_000.0, 1_800_000_000.125, 1_800_000_000.5, 1_800_000_001.000001, 1_800_003_600.0, 1_799_999_999.0]
VALUES = [0.5, -1e-300, float("nan"), float("inf"), float("-inf"), 0.1]


def contents() -> dict[str, Any]:
    packed = pack_points(np.array(STEPS), np.array(TIMES), np.array(VALUES))
    values = [value if np.isfinite(value) else str(value).replace("inf", "Infinity") for value in VALUES]
    return {"data": base64.b64encode(packed).decode(), "step": STEPS, "time": TIMES, "value": values}


if __name__ == "__main__":
    FILE.write_text(json.dumps(contents()) + "\n")
