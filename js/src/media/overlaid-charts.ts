/** Charts of the same form, drawn as one: the curves of several runs over each other. Pure. */
import type { RunLook } from "./media-types.ts";

export interface ChartOfRun {
  run: RunLook;
  spec: Record<string, unknown>;
}

type Rows = readonly Record<string, unknown>[];
const CURVES = ["line", "area", "point", "circle", "trail"];

/**
 * Return one specification with the data of all, coloured by run; null if they differ in more than their data, have several sets of
 * data, or are no curves.
 */
export function overlaid(charts: readonly ChartOfRun[]): Record<string, unknown> | null {
  const [first] = charts;
  if (charts.length < 2 || new Set(charts.map(({ run }) => run.id)).size < charts.length) return null;
  const forms = new Set(charts.map(({ spec: { data, datasets, ...form } }) => JSON.stringify(form)));
  const rows = charts.map(({ spec }) => rowsOf(spec));
  if (forms.size > 1 || rows.includes(null) || !isCurve(first.spec)) return null;
  const values = charts.flatMap(({ run }, i) => (rows[i] as Rows).map(row => ({ ...row, [RUN]: run.label })));
  const { data, datasets, encoding, layer, ...form } = first.spec;
  const scale = {
    domain: charts.map(({ run }) => run.label),
    range: charts.map(({ run }) => run.color.slice(0, 7)),
  };
  const byRun = { field: RUN, type: "nominal", legend: null };
  const colored = (own: unknown): object => {
    const channels = (own ?? {}) as Record<string, unknown>;
    const isFree = !("color" in channels || "stroke" in channels);
    // curves that have colours of their own tell the runs by dashes
    return { ...channels, ...(isFree ? { color: { ...byRun, scale } } : { strokeDash: byRun }) };
  };
  if (!layer) return { ...form, data: { values }, encoding: colored(encoding) };
  const layers = (layer as Record<string, unknown>[]).map(one =>
    "data" in one
      ? one
      : { ...one, encoding: colored({ ...(encoding as object), ...(one.encoding as object) }) },
  );
  return { ...form, data: { values }, layer: layers };
}

const RUN = "trackbook run";

/** Return the rows that a chart holds itself; null if they are not a list. */
function rowsOf({ data, datasets }: Record<string, unknown>): Rows | null {
  const { values, name } = (data ?? {}) as { values?: unknown; name?: string };
  const found = values ?? (datasets as Record<string, unknown> | undefined)?.[name ?? ""];
  return Array.isArray(found) ? found : null;
}

function isCurve({ mark, layer }: Record<string, unknown>): boolean {
  const typeOf = (given: unknown) =>
    typeof given === "object" ? (given as { type?: string } | null)?.type : given;
  const marks = layer
    ? (layer as Record<string, unknown>[]).filter(one => !("data" in one)).map(one => one.mark)
    : [mark];
  return marks.length > 0 && marks.every(one => CURVES.includes(String(typeOf(one))));
}
