"""Meshes of TensorBoard as PLY files: points, colours and faces of each are tensors of their own, which are put together again."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from typing import Any, Final

from ..media.documents import MOST_POINTS, SCENES
from ..media.values import Encoded, File
from . import protobuf, tensors
from .intake import Intake

PLUGIN: Final = "mesh"
_POINTS, _FACES, _COLORS = 1, 2, 3  # parts, as the plugin numbers them
_PARTS: Final = frozenset({_POINTS, _FACES, _COLORS})
_MOST_NUMBERS: Final = 3 * MOST_POINTS  # of a part
_MOST_OPEN: Final = 16  # meshes that wait for more parts
_SUFFIX: Final = ".ply"


@dataclass(frozen=True)
class _Part:
    """What a tag has of a mesh."""

    mesh: str
    kind: int
    wanted: frozenset[int]  # all parts of the mesh; empty where they are those of one event


@dataclass
class _Mesh:
    """A mesh, of which parts may be missing yet."""

    step: int
    time: float
    wanted: frozenset[int]
    tensors: dict[int, memoryview] = field(default_factory=dict)


class Meshes:
    """Puts the meshes of one run together. TensorFlow 2 writes an event for each part, the others one for all."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._parts: dict[str, _Part] = {}  # by tag
        self._open: dict[str, _Mesh] = {}  # by the name of a mesh

    def describe(self, tag: str, content: memoryview) -> None:
        """Note what the plugin says of a tag."""
        about = protobuf.last_fields(content)
        kind, mask = (protobuf.integer(about.get(number)) for number in (3, 7))
        wanted = frozenset(part for part in _PARTS if mask >> part & 1)
        self._parts[tag] = _Part(protobuf.text(about.get(2)) or tag, kind, wanted)

    def take(self, tag: str, data: memoryview, step: int, time: float) -> None:
        """Take in the tensor of a tag."""
        part = self._parts.get(tag)
        if part is None or part.kind not in _PARTS:
            self._intake.leave_out("parts of meshes of an unknown kind", tag)
            return
        mesh = self._open.get(part.mesh)
        if mesh is None or mesh.step != step:
            self._give_up(part.mesh)
            mesh = self._open[part.mesh] = _Mesh(step, time, part.wanted)
        mesh.tensors[part.kind] = data
        if mesh.wanted and mesh.wanted <= mesh.tensors.keys():
            self._tell(part.mesh)

    def end_event(self) -> None:
        """Tell of the meshes that are whole once their event is."""
        for name in [name for name, mesh in self._open.items() if not mesh.wanted]:
            self._tell(name)
        while len(self._open) > _MOST_OPEN:
            self._give_up(next(iter(self._open)))

    def end(self) -> None:
        """Count the meshes of which parts are missing."""
        for name in [*self._open]:
            self._give_up(name)

    def _tell(self, name: str) -> None:
        mesh = self._open.pop(name)
        self._intake.media(name, mesh.step, mesh.time, partial(_encoded, mesh.tensors))

    def _give_up(self, name: str) -> None:
        if self._open.pop(name, None) is not None:
            self._intake.leave_out("meshes of which parts are missing", name)


def _encoded(parts: dict[int, memoryview]) -> list[Encoded]:
    """Return the meshes of one step, which are several in a batch. Raises one of `media_values.UNREADABLE`."""
    points = _samples(parts[_POINTS])
    none: list[Sequence[float]] = [()] * len(points)
    colors, faces = (_samples(parts[kind]) or none if kind in parts else none for kind in (_COLORS, _FACES))
    return [
        Encoded("object3d", File(_ply(*one), _SUFFIX, SCENES[_SUFFIX]), {"format": _SUFFIX[1:]})
        for one in zip(points, colors, faces, strict=True)
    ]


def _samples(data: memoryview) -> list[Sequence[float]]:
    """Return the numbers of each mesh of a batch, three for each of its rows."""
    shape = tensors.shape(data)
    if len(shape) != 3 or shape[2] != 3:
        raise ValueError(f"a part of a mesh has the shape {shape}")
    found, size = tensors.elements(data, _MOST_NUMBERS), 3 * shape[1]
    return [found[at : at + size] for at in range(0, len(found), size)] if found else []


def _ply(points: Sequence[float], colors: Sequence[float], faces: Sequence[float]) -> bytes:
    """Return the PLY file of a mesh, or of points without faces."""
    count = len(points) // 3
    if not count or not all(map(isfinite, points)):
        raise ValueError("a mesh has points, all of them finite")
    if colors and (len(colors) != len(points) or not all(0 <= part <= 255 for part in colors)):
        raise ValueError("a mesh has a colour for each point, of numbers from 0 to 255")
    if not all(0 <= place < count for place in faces):
        raise ValueError("the faces of a mesh are between its points")
    lines = ["ply", "format binary_little_endian 1.0", f"element vertex {count}"]
    lines += [f"property float {axis}" for axis in "xyz"]
    lines += [f"property uchar {color}" for color in ("red", "green", "blue") if colors]
    if faces:
        lines += [f"element face {len(faces) // 3}", "property list uchar int vertex_indices"]
    rows = map(itertools.chain, _triples(points), _triples(map(int, colors))) if colors else _triples(points)
    packed = _packed("<3f3B" if colors else "<3f", rows) + _packed(
        "<B3i", ((3, *face) for face in _triples(map(int, faces)))
    )
    return "\n".join([*lines, "end_header", ""]).encode() + packed


def _triples(numbers: Any) -> Iterator[tuple[Any, ...]]:
    return zip(*[iter(numbers)] * 3, strict=True)


def _packed(form: str, rows: Any) -> bytes:
    pack = struct.Struct(form).pack
    return b"".join(pack(*row) for row in rows)
