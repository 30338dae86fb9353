/** Charts of the same form, drawn as one: the curves of several runs over each other. Pure. */
import { colorField, withDashes } from "./curve-classes.ts";
import type { RunLook } from "./media-types.ts";

export interface ChartOfRun {
  run: RunLook;
  spec: Record<string, unknown>;
}

type Rows = readonly Record<string, unknown>[];
const CURVES = ["line", "area", "point", "circle", "trail"];

/**
 * Return one specification with the data of all, in which a colour is a run; null if they differ in more than their data, have several
 * sets of data, are no curves, or have colours of their own that dashes cannot replace.
 */
export function overlaid(charts: readonly ChartOfRun[]): Record<string, unknown> | null {
  const [first] = charts;
  if (charts.length < 2 || new Set(charts.map(({ run }) => run.id)).size < charts.length) return null;
  const forms = new Set(charts.map(({ spec: { data, datasets, ...form } }) => JSON.stringify(form)));
  const rows = charts.map(({ spec }) => rowsOf(spec));
  if (forms.size > 1 || rows.includes(null) || !isCurve(first.spec)) return null;
  const values = charts.flatMap(({ run }, i) => (rows[i] as Rows).map(row => ({ ...row, [RUN]: run.label })));
  const { data, datasets, encoding, layer, ...form } = first.spec;
  const layers = layer as Record<string, unknown>[] | undefined;
  const shared = (encoding ?? {}) as Record<string, unknown>;
  const scale = {
    domain: charts.map(({ run }) => run.label),
    range: charts.map(({ run }) => run.color.slice(0, 7)),
  };
  const byRun = { field: RUN, type: "nominal", legend: null, scale };
  const colored = (one: Record<string, unknown>): Record<string, unknown> | null => {
    const own = { ...shared, ...(one.encoding as object | undefined) };
    const told = colorField(own);
    if (told && markOf(one) !== "line") return null;
    const channels = withDashes(
      own,
      told ? values.map((row: Record<string, unknown>) => row[String(told.field)]) : [],
    );
    if (!channels) return null;
    const { color, stroke, ...others } = channels;
    const named = [
      { field: RUN, type: "nominal", title: "run" },
      ...(told ? [{ field: told.field, type: told.type }] : []),
    ];
    return { ...others, color: byRun, tooltip: others.tooltip ?? named };
  };
  if (!layers) {
    const made = colored(first.spec);
    return made && { ...form, data: { values }, encoding: made };
  }
  const drawn = layers.map(one => {
    if ("data" in one) return one;
    const made = colored(one);
    return made && { ...one, encoding: made };
  });
  return drawn.includes(null) ? null : { ...form, data: { values }, layer: drawn };
}

const RUN = "trackbook run";

/** Return the rows that a chart holds itself; null if they are not a list. */
function rowsOf({ data, datasets }: Record<string, unknown>): Rows | null {
  const { values, name } = (data ?? {}) as { values?: unknown; name?: string };
  const found = values ?? (datasets as Record<string, unknown> | undefined)?.[name ?? ""];
  return Array.isArray(found) ? found : null;
}

function isCurve(spec: Record<string, unknown>): boolean {
  const layers = spec.layer as Record<string, unknown>[] | undefined;
  const marks = layers ? layers.filter(one => !("data" in one)) : [spec];
  return marks.length > 0 && marks.every(one => CURVES.includes(markOf(one)));
}

function markOf({ mark }: Record<string, unknown>): string {
  return String(typeof mark === "object" ? (mark as { type?: string } | null)?.type : mark);
}
