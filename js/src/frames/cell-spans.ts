/**
 * The trait `cells`: for each run id the cell executions that logged its points, oldest first. The end is null
 * while the cell runs.
 */
export type CellSpans = Record<string, readonly [count: number, started: number, ended: number | null][]>;

const SLACK = 0.05; // s; row times are float32, relative to the start of their series

/** Return the label of the cell execution that logged a point, as `In [n]`; empty if unknown. */
export function executionAt(origins: unknown, run: string, time: number): string {
  const own = (origins as CellSpans | undefined)?.[run];
  if (!Array.isArray(own)) return ""; // a run id may be the name of an inherited property, such as `constructor`
  const at = (slack: number) =>
    own.findLast(([, from, to]) => from - slack <= time && time <= (to ?? Number.POSITIVE_INFINITY) + slack);
  const found = at(0) ?? at(SLACK);
  return found ? `In [${found[0]}]` : "";
}
