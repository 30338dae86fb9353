import { h } from "../ui/dom.ts";
import { barRows, heatRows } from "./histogram-rows.ts";
import type { MediaContext, MediaItem, MediaScene } from "./media-types.ts";
import { VegaBlock } from "./vega-block.ts";

const points = { name: "points" };
const quantitative = (field: string, more: object = {}) => ({
  field,
  type: "quantitative",
  title: null,
  ...more,
});

function shade(scale: object) {
  const share = quantitative("share", { legend: null, scale });
  return { color: share, stroke: share };
}

const BARS = {
  data: points,
  mark: { type: "bar", opacity: 0.6, binSpacing: 0.5 },
  encoding: {
    x: quantitative("from", { bin: "binned", scale: { zero: false, nice: false } }),
    x2: { field: "to" },
    y: quantitative("count", { stack: null }),
    color: { field: "color", type: "nominal", scale: null },
    tooltip: [
      { field: "run", type: "nominal" },
      { field: "step", type: "quantitative" },
      { field: "from", type: "quantitative", format: ".4~g" },
      { field: "to", type: "quantitative", format: ".4~g" },
      { field: "count", type: "quantitative" },
    ],
  },
};

const HEAT = {
  data: points,
  mark: { type: "rect", strokeWidth: 0.8 }, // in the cell's colour: without it the ground shows between cells
  encoding: {
    x: quantitative("step", { scale: { zero: false, nice: false } }),
    x2: { field: "next" },
    y: quantitative("from", { scale: { zero: false, nice: false } }),
    y2: { field: "to" },
    ...shade({ scheme: "blues", zero: true }),
    tooltip: [
      { field: "step", type: "quantitative" },
      { field: "from", type: "quantitative", format: ".4~g" },
      { field: "to", type: "quantitative", format: ".4~g" },
      { field: "share", type: "quantitative", format: ".2%" },
    ],
  },
};
const darkHeat = {
  ...HEAT,
  encoding: {
    ...HEAT.encoding,
    ...shade({ range: ["#1b2433", "#7aa7ff", "#f2f6ff"], zero: true }),
  },
};

/** Histograms: bars at one step, or a heat map over all steps of a run. */
export class HistogramView {
  readonly element = h("div", { class: "tb-media-histogram" });
  #block: VegaBlock;

  constructor(context: MediaContext, signal: AbortSignal) {
    this.#block = new VegaBlock(context, signal);
    this.element.append(this.#block.element);
  }

  showStep(items: readonly MediaItem[], scene: MediaScene) {
    this.#block.show(BARS, barRows(items, scene.runs), scene);
  }

  showAll(items: readonly MediaItem[], scene: MediaScene) {
    this.#block.show(scene.theme === "dark" ? darkHeat : HEAT, heatRows(items), scene);
  }
}
