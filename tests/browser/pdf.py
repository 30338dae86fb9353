"""What is on the pages of a PDF that Chromium made of charts."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image
from playwright.sync_api import Page

from browser.lab import OUTPUT

SCALE = 2  # pixels a point
LEAST_INK = 0.02  # of a plot; those of the tests have 0.06 and more, and a blank one has none
WHITE = 250  # of 255; the lines of a grid are darker
PLACE = "https://chart.test/"

# An empty link over each part: a PDF says on which page it is and where, once for each piece that a page break makes of it.
MARK = """([place, selector]) => {
    for (const [number, part] of [...document.querySelectorAll(selector)].entries()) {
        const link = document.createElement("a");
        link.href = `${place}${number}`;
        link.style = "position: absolute; inset: 0; pointer-events: none";
        if (getComputedStyle(part).position === "static") part.style.position = "relative";
        part.append(link);
    }
}"""
PARTS = {
    "plot": ".tb-board .tb-chart .tb-plot",
    "chart": ".tb-board .tb-chart",
    "head": ".tb-board .tb-group-head",
    "tile": ".tb-board .tb-media-frame",
}


class Piece(NamedTuple):
    """A part of a board, or a piece of it, on a page: its box in points from the top left, and the share of it that is not white."""

    page: int
    left: float
    top: float
    right: float
    bottom: float
    ink: float

    def overlaps(self, other: Piece) -> bool:
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return self.page == other.page and across > 1 and down > 1


class Printed:
    """A printed page: its PDF, and the pieces of each part of its board by kind, in the order of the page."""

    def __init__(self, pdf: bytes) -> None:
        document = pypdfium2.PdfDocument(pdf)
        self.images = [page.render(scale=SCALE).to_pil().convert("L") for page in document]
        found: dict[str, dict[int, list[Piece]]] = {kind: {} for kind in PARTS}
        for number, page in enumerate(document):
            for link in _links(page):
                target = _target(document, link)
                if target.startswith(PLACE):  # the page may have links of its own
                    kind, place = target.removeprefix(PLACE).split("/")
                    piece = self._piece(number, page.get_height(), link)
                    found[kind].setdefault(int(place), []).append(piece)
        document.close()
        self.parts = {kind: [places[place] for place in sorted(places)] for kind, places in found.items()}

    def _piece(self, number: int, height: float, link: Any) -> Piece:
        rect = pdfium.FS_RECTF()
        pdfium.FPDFLink_GetAnnotRect(link, rect)
        box = (rect.left, height - rect.top, rect.right, height - rect.bottom)
        part = self.images[number].crop(tuple(round(SCALE * end) for end in box))
        return Piece(number, *box, sum(part.histogram()[:WHITE]) / max(1, part.width * part.height))

    def faults(self) -> list[str]:
        """Charts that are empty, cut by the end of a page, or printed over each other or over the heading of a group."""
        empty = [f"empty: {pieces}" for pieces in self.parts["plot"] if max(piece.ink for piece in pieces) < LEAST_INK]
        cut = [f"cut: {pieces}" for pieces in self.parts["chart"] if len(pieces) > 1]
        pieces = [piece for kind in ("chart", "head") for part in self.parts[kind] for piece in part]
        pairs = [(one, other) for i, one in enumerate(pieces) for other in pieces[i + 1 :] if one.overlaps(other)]
        return empty + cut + [f"over each other: {pair}" for pair in pairs]

    @property
    def is_white(self) -> bool:
        """Whether every page is white along its edges."""
        return all(min(_edges(image)) == 255 for image in self.images)


def print_board(page: Page, keep: str) -> Printed:
    """Print a page to a PDF, which stays in the output folder."""
    for kind, selector in PARTS.items():
        page.evaluate(MARK, [f"{PLACE}{kind}/", selector])
    pdf = page.pdf(print_background=True)
    (OUTPUT / f"{keep}.pdf").write_bytes(pdf)
    return Printed(pdf)


def _edges(image: Image.Image) -> list[int]:
    right, bottom = image.width, image.height
    sides = ((0, 0, right, 1), (0, bottom - 1, right, bottom), (0, 0, 1, bottom), (right - 1, 0, right, bottom))
    return [shade for side in sides for shade in image.crop(side).tobytes()]


def _links(page: pypdfium2.PdfPage) -> list[Any]:
    found, position, link = [], ctypes.c_int(0), pdfium.FPDF_LINK()
    while pdfium.FPDFLink_Enumerate(page, position, link):
        found.append(pdfium.FPDF_LINK.from_buffer_copy(link))
    return found


def _target(document: pypdfium2.PdfDocument, link: Any) -> str:
    action = pdfium.FPDFLink_GetAction(link)
    text = ctypes.create_string_buffer(200)
    pdfium.FPDFAction_GetURIPath(document, action, text, len(text))
    return text.value.decode()
