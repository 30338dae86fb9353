import type { PlotRow } from "../plot/plot-rows.ts";
import { h, setChildren } from "../ui/dom.ts";
import type { PlotArea } from "./plot-area.ts";

/** A vertical line through the chart and a dot on each run, drawn without Vega. */
export class Crosshair {
  readonly element = h("div", { class: "tb-pointer", "aria-hidden": "true", hidden: "" });
  #line = h("div", { class: "tb-crosshair" });
  #dots: HTMLElement[] = [];

  constructor() {
    this.element.append(this.#line);
  }

  hide() {
    this.element.hidden = true;
  }

  show({ x: across, y: down }: PlotArea, plot: HTMLElement, x: number, rows: readonly PlotRow[]) {
    const at = across.pixelOf(x);
    this.element.hidden = at === null;
    if (at === null) return;
    const box = plot.getBoundingClientRect();
    const [left, top] = [across.start - box.left, down.start - box.top];
    this.#line.style.transform = `translate(${Math.round(left + at)}px, ${top}px)`;
    this.#line.style.height = `${down.length}px`;
    const places = rows.flatMap(row => {
      const [i, j] = [
        across.pixelOf(row.x),
        down.pixelOf(Number.isFinite(row.smooth) ? row.smooth : row.value),
      ];
      const drawn = row.mark === "line" || row.mark === "dot";
      return drawn && i !== null && j !== null ? [{ left: left + i, top: top + j, color: row.color }] : [];
    });
    while (this.#dots.length < places.length) this.#dots.push(h("div", { class: "tb-point" }));
    places.forEach((place, i) => {
      this.#dots[i].style.transform = `translate(${place.left}px, ${place.top}px)`;
      this.#dots[i].style.background = place.color;
    });
    setChildren(this.element, [this.#line, ...this.#dots.slice(0, places.length)]);
  }
}
