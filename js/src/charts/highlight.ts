import type { Trace } from "../plot/plot.ts";
import type { PlotRow } from "../plot/plot-rows.ts";
import { svg } from "../ui/dom.ts";
import type { PlotArea } from "./plot-area.ts";

const MANY = 8; // lines from which on the others fade

/** One line drawn once more, strong and on top, without Vega. */
export class Highlight {
  readonly element = svg("svg", { class: "tb-highlight", "aria-hidden": "true" });
  #halo = svg("path", { class: "tb-highlight-halo" });
  #line = svg("path", { class: "tb-highlight-line" });

  constructor() {
    this.element.append(this.#halo, this.#line);
    this.hide();
  }

  hide() {
    this.element.style.display = "none";
    this.element.parentElement?.classList.remove("tb-faded");
  }

  show(trace: Trace, lines: number, { x, y }: PlotArea, plot: HTMLElement, drawn: (row: PlotRow) => number) {
    const box = plot.getBoundingClientRect();
    const path = pathOf(trace.rows, row => [x.at(row.x), y.at(drawn(row))]);
    for (const line of [this.#halo, this.#line]) line.setAttribute("d", path);
    this.#line.setAttribute("stroke", trace.style.color.slice(0, 7)); // without the transparency of one of many
    const { style } = this.element;
    style.display = "";
    style.width = `${x.length}px`;
    style.height = `${y.length}px`;
    style.transform = `translate(${x.start - box.left}px, ${y.start - box.top}px)`;
    this.element.dataset.run = trace.style.run.id;
    plot.classList.toggle("tb-faded", lines >= MANY);
  }
}

/** Return the path of a line, with its gaps; a lonely point is a dot of the line's width. */
function pathOf(rows: readonly PlotRow[], place: (row: PlotRow) => [number, number]): string {
  let path = "";
  let part = Number.NaN; // of the row before, if that is on the line
  for (const row of rows) {
    const [x, y] = place(row);
    const isDrawn = (row.mark === "line" || row.mark === "dot") && Number.isFinite(x) && Number.isFinite(y);
    if (isDrawn) path += `${part === row.part ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    if (isDrawn && row.mark === "dot") path += "h0.01";
    part = isDrawn ? row.part : Number.NaN;
  }
  return path;
}
