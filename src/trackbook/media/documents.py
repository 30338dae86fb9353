"""Charts and scenes that other libraries draw: Altair, Plotly, ECharts, three-dimensional objects and molecules."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar, Final

from .values import LARGEST_TEXT, File, Media, as_array, bad, given, is_path, masked, path_of, suffix_of

SCENES: Final = {
    ".gltf": "model/gltf+json",
    ".glb": "model/gltf-binary",
    ".obj": "model/obj",
    ".stl": "model/stl",
    ".ply": "model/ply",
    ".babylon": "application/json",
    ".splat": "application/octet-stream",
}
MOLECULES: Final = ("pdb", "pqr", "mmcif", "cif", "mcif", "sdf", "sd", "gro", "mol", "mol2", "mmtf", "xyz", "smi")
MOST_POINTS: Final = 1_000_000

_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*=*")


@dataclass(frozen=True)
class _Numbers:
    """An array of Plotly's, whose base64 may by chance look like a secret."""

    content: dict[str, Any]

    @classmethod
    def of(cls, found: dict[str, Any]) -> Any:
        """Return an object of JSON as it is, unless it is such an array."""
        data = found.get("bdata")
        is_array = found.keys() <= {"dtype", "bdata", "shape"} and isinstance(data, str) and _BASE64.fullmatch(data)
        return cls(found) if is_array else found


class _Document(Media):
    """A chart in the JSON of its library."""

    _mime: ClassVar[str]
    _expected: ClassVar[str]

    def __init__(self, data: Any = None, caption: str | None = None, **other: Any) -> None:
        super().__init__(caption)
        data = given(self, data, other, "data_or_path", "value", "chart", "figure")
        if is_path(data):
            data = path_of(self, data, LARGEST_TEXT).read_text("utf-8")
        elif isinstance(data, Mapping):
            data = json.dumps(data, default=str)
        else:
            data = self._text(data)
        try:
            content = json.loads(data, object_hook=_Numbers.of)
        except (TypeError, ValueError, RecursionError) as error:
            bad(self, data, self._expected, error)
        if not isinstance(content, dict):
            bad(self, content, self._expected)
        text = json.dumps(masked(content), ensure_ascii=False, separators=(",", ":"), default=attrgetter("content"))
        if len(text) > LARGEST_TEXT:
            raise ValueError(f"{type(self).__name__}: {len(text):,} characters; at most {LARGEST_TEXT:,} are taken")
        self._keep(File(text.encode(errors="backslashreplace"), ".json", self._mime))

    def _text(self, data: Any) -> Any:
        """Return the JSON of an object of the library, and anything else as it is."""
        raise NotImplementedError


class Chart(_Document):
    """A chart of Altair, or a specification of Vega-Lite as a dict. Raises ``TypeError`` or ``ValueError`` for anything else."""

    kind = "chart"
    _mime = "application/vnd.vegalite+json"
    _expected = "a chart of Altair, or a Vega-Lite specification as a dict"

    def _text(self, data: Any) -> Any:
        return data.to_json() if hasattr(data, "to_json") and hasattr(data, "mark_point") else _layered(data)


def _layered(data: Any) -> Any:
    """Return the JSON of a chart of several ones, which has no marks of its own."""
    is_altair = any(kind.__module__.startswith("altair.") for kind in type(data).__mro__)
    return data.to_json() if is_altair else data


class Plotly(_Document):
    """A figure of Plotly, its JSON as a dict, or a path to that. Raises ``TypeError`` or ``ValueError`` for anything else."""

    kind = "plotly"
    _mime = "application/vnd.plotly+json"
    _expected = "a figure of Plotly, or its JSON"

    def _text(self, data: Any) -> Any:
        return data.to_json() if hasattr(data, "to_json") and hasattr(data, "add_trace") else data


class ECharts(_Document):
    """A chart of pyecharts, or an option of ECharts as a dict. Raises ``TypeError`` or ``ValueError`` for anything else."""

    kind = "echarts"
    _mime = "application/vnd.echarts+json"
    _expected = "a chart of pyecharts, or an option of ECharts as a dict"

    def _text(self, data: Any) -> Any:
        return data.dump_options_with_quotes() if hasattr(data, "dump_options_with_quotes") else data


class Object3D(Media):
    """A three-dimensional object: a path to a glTF, GLB, OBJ, STL, PLY, Babylon or splat file, or points.

    Points are an array (points, 3), or with a class (points, 4) or colours from 0 to 255 (points, 6).
    Raises ``TypeError``, ``ValueError`` or ``FileNotFoundError`` for anything else.
    """

    kind = "object3d"

    def __init__(self, data: Any = None, caption: str | None = None, **other: Any) -> None:
        super().__init__(caption)
        data = given(self, data, other, "data_or_path", "value")
        if is_path(data):
            self._keep(*self._copied(path_of(self, data)))
            return
        import numpy as np

        array = as_array(data)
        if array is None or array.ndim != 2 or array.shape[1] not in (3, 4, 6) or array.dtype.kind not in "iuf":
            bad(
                self,
                data,
                f"a path to one of {', '.join(SCENES)}, or points of shape (points, 3), (points, 4) or (points, 6)",
            )
        if not 0 < len(array) <= MOST_POINTS or not np.isfinite(array).all():
            raise ValueError(f"Object3D: {len(array):,} points; give 1 to {MOST_POINTS:,}, all of them finite")
        text = json.dumps({"points": array.tolist()}, separators=(",", ":"))
        self._keep(File(text.encode(), ".json", "application/json"), {"format": "points"})

    @classmethod
    def of(cls, data: Any = None, caption: str | None = None, **given: Any) -> Object3D:
        """Return an object of points or a path, under the names that wandb and SwanLab have for it."""
        points = given.get("points", given.get("data_or_path"))
        return cls(points if data is None else data, caption)

    from_numpy = from_file = from_point_data = from_point_cloud = of

    def _copied(self, path: Path) -> tuple[File, dict[str, Any]]:
        if path.name.endswith(".pts.json"):
            return File(path, ".json", "application/json"), {"format": "points"}
        suffix = suffix_of(path)
        if suffix not in SCENES:
            raise ValueError(f"Object3D: {path} ends in {suffix or 'nothing'}; give one of {', '.join(SCENES)}")
        return File(path, suffix, SCENES[suffix]), {"format": suffix[1:]}


class Molecule(Media):
    """A molecule: a path to a PDB, mmCIF, SDF, MOL or similar file, a molecule of RDKit, or a text with its ``file_type``.

    Raises ``TypeError``, ``ValueError`` or ``FileNotFoundError`` for anything else.
    """

    kind = "molecule"

    def __init__(
        self, data: Any = None, caption: str | None = None, *, file_type: str | None = None, **other: Any
    ) -> None:
        super().__init__(caption)
        data = given(self, data, other, "data_or_path", "value", "pdb_data")
        if file_type is not None and file_type not in MOLECULES:
            raise ValueError(f"Molecule: file_type={file_type!r} is not one of {', '.join(MOLECULES)}")
        if hasattr(data, "read"):
            data, file_type = data.read(), file_type or suffix_of(Path(getattr(data, "name", "x.pdb")))[1:]
        if type(data).__module__.startswith("rdkit."):
            from rdkit import Chem

            data, file_type = Chem.MolToMolBlock(data), "mol"
        if isinstance(data, str) and (file_type is not None or "\n" in data):
            kind = file_type or "pdb"
            self._keep(File(data.encode(), f".{kind}", "text/plain"), {"format": kind})
            return
        if not is_path(data):
            bad(self, data, "a path, a molecule of RDKit, or a text with file_type=")
        path = path_of(self, data)
        kind = suffix_of(path)[1:]
        if kind not in MOLECULES:
            raise ValueError(f"Molecule: {path} ends in {kind or 'nothing'}; give one of {', '.join(MOLECULES)}")
        self._keep(File(path, f".{kind}", "text/plain"), {"format": kind})

    @classmethod
    def from_smiles(cls, data: str, caption: str | None = None, **_: Any) -> Molecule:
        """Return a molecule of a SMILES text."""
        return cls(data, caption, file_type="smi")

    @classmethod
    def of(cls, data: Any, caption: str | None = None, **_: Any) -> Molecule:
        """Return a molecule of RDKit's, or of a path, under the names that wandb and SwanLab have for it."""
        return cls(data, caption)

    from_rdkit = from_mol = from_pdb_file = from_sdf_file = from_mol_file = of
