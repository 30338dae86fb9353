import type { XAxis } from "../frames/view-state.ts";
import type { Zoom } from "../plot/plot.ts";
import type { Range } from "../plot/series-window.ts";

const UNZOOMED: Zoom = { x: null, y: null };

/**
 * The zoom of all charts: along x shared by charts with the same x axis, or per chart if not linked; along y per
 * chart. Dispatches "change".
 */
export class ZoomState extends EventTarget {
  #x = new Map<string, Range>();
  #y = new Map<string, Range>();
  #zooms = new Map<string, Zoom>();

  /**
   * Return a chart's zoom; the same object while it is unchanged. Each metric counts its own steps, so a shared
   * range without any of its data is ignored.
   */
  of(metric: string, axis: XAxis, linked: boolean, extent: () => Range | null): Zoom {
    const window = this.#x.get(key(metric, axis, linked)) ?? null;
    const x = window && within(window, extent());
    const y = this.#y.get(metric) ?? null;
    const shown = this.#zooms.get(metric) ?? UNZOOMED;
    if (sameRange(shown.x, x) && sameRange(shown.y, y)) return shown;
    const zoom = { x, y };
    this.#zooms.set(metric, zoom);
    return zoom;
  }

  set(metric: string, axis: XAxis, linked: boolean, zoom: Zoom) {
    put(this.#x, key(metric, axis, linked), zoom.x);
    put(this.#y, metric, zoom.y);
    this.dispatchEvent(new Event("change"));
  }

  /** The range that linked charts over an x axis share. */
  shared(axis: XAxis): Range | null {
    return this.#x.get(key("", axis, true)) ?? null;
  }

  /** Set the range that linked charts over an x axis share. An infinite end is where the data of each chart end. */
  share(axis: XAxis, range: Range | null) {
    put(this.#x, key("", axis, true), range);
    this.dispatchEvent(new Event("change"));
  }

  reset() {
    this.#x.clear();
    this.#y.clear();
    this.dispatchEvent(new Event("change"));
  }

  get isZoomed(): boolean {
    return this.#x.size + this.#y.size > 0;
  }
}

/** Return the range with finite ends; null if it holds none of the data. */
function within(range: Range, extent: Range | null): Range | null {
  const [from, to] = range;
  const isBounded = Number.isFinite(from) && Number.isFinite(to);
  if (!extent) return isBounded ? range : null;
  if (from > extent[1] || to < extent[0]) return null;
  if (isBounded) return range;
  const [low, high] = [Number.isFinite(from) ? from : extent[0], Number.isFinite(to) ? to : extent[1]];
  return low < high ? [low, high] : null;
}

function sameRange(a: Range | null, b: Range | null): boolean {
  return a === b || (a !== null && b !== null && a[0] === b[0] && a[1] === b[1]);
}

function key(metric: string, axis: XAxis, linked: boolean): string {
  return JSON.stringify(linked ? [axis] : [axis, metric]);
}

function put(windows: Map<string, Range>, at: string, range: Range | null) {
  if (range) windows.set(at, range);
  else windows.delete(at);
}
