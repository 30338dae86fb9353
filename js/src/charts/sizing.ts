import type { View } from "./vega-view.ts";

type Forced = (name: string, value: number, options: { force: boolean }) => void;

/**
 * Gives a view its size, labels included. What Vega keeps in the same signals after it has drawn is the size inside
 * the axes: a new size that happens to equal that would pass for no change, hence the force.
 */
export function resizeView(view: View, width: number, height: number) {
  const set = view.signal.bind(view) as Forced;
  set("width", width, { force: true });
  set("height", height, { force: true });
  view.resize();
}
