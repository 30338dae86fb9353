import type { XAxis } from "../frames/view-state.ts";
import type { Zoom } from "../plot/plot.ts";
import type { Range } from "../plot/series-window.ts";

const UNZOOMED: Zoom = { x: null, y: null };

/**
 * The zoom of all charts: along x shared by charts with the same x axis, or per chart if not linked; along y per
 * chart.
 */
export class ZoomState {
  #x = new Map<string, Range>();
  #y = new Map<string, Range>();
  #zooms = new Map<string, Zoom>();

  /**
   * Return a chart's zoom; the same object while it is unchanged. Each metric counts its own steps, so a shared
   * range without any of its data is ignored.
   */
  of(metric: string, axis: XAxis, linked: boolean, extent: () => Range | null): Zoom {
    const window = this.#x.get(key(metric, axis, linked)) ?? null;
    const x = window && overlap(window, extent()) ? window : null;
    const y = this.#y.get(metric) ?? null;
    const shown = this.#zooms.get(metric) ?? UNZOOMED;
    if (shown.x === x && shown.y === y) return shown;
    const zoom = { x, y };
    this.#zooms.set(metric, zoom);
    return zoom;
  }

  set(metric: string, axis: XAxis, linked: boolean, zoom: Zoom) {
    put(this.#x, key(metric, axis, linked), zoom.x);
    put(this.#y, metric, zoom.y);
  }

  reset() {
    this.#x.clear();
    this.#y.clear();
  }

  get isZoomed(): boolean {
    return this.#x.size + this.#y.size > 0;
  }
}

function overlap([from, to]: Range, extent: Range | null): boolean {
  return !extent || (from <= extent[1] && to >= extent[0]);
}

function key(metric: string, axis: XAxis, linked: boolean): string {
  return JSON.stringify(linked ? [axis] : [axis, metric]);
}

function put(windows: Map<string, Range>, at: string, range: Range | null) {
  if (range) windows.set(at, range);
  else windows.delete(at);
}
