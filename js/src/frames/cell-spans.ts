/** The trait `cells`: by run id the executions of cells that logged its points, oldest first; the end is null while one runs. */
export type CellSpans = Record<string, readonly [count: number, started: number, ended: number | null][]>;

const SLACK = 0.05; // s; times of rows are float32, from the start of their series

/** What the notebook calls the execution that logged a point; empty where that is not known. */
export function executionAt(origins: unknown, run: string, time: number): string {
  const own = (origins as CellSpans | undefined)?.[run];
  if (!Array.isArray(own)) return ""; // a run may be called like what every object has
  const at = (slack: number) =>
    own.findLast(([, from, to]) => from - slack <= time && time <= (to ?? Number.POSITIVE_INFINITY) + slack);
  const found = at(0) ?? at(SLACK);
  return found ? `In [${found[0]}]` : "";
}
