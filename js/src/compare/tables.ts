import type { RunEntry, Scalar, Statistic } from "../frames/runs-table.ts";
import type { RunStyle } from "../plot/plot-rows.ts";
import type { RunColumn } from "../runs/columns.ts";
import { setName } from "../ui/cut-name.ts";
import { h, swatch } from "../ui/dom.ts";

export const MOST_RUNS = 12; // side by side

export interface TableLine {
  title: string;
  /** One value per run, in order. */
  values: readonly (Scalar | undefined)[];
  differs: boolean;
}

/** Return a line per config key: differing ones first, otherwise in order of first appearance. */
export function configLines(entries: readonly RunEntry[], keys: readonly string[]): TableLine[] {
  const lines = keys.map((key): TableLine => {
    const values = entries.map(({ config }) => config.get(key));
    return { title: key, values, differs: new Set(values.map(value => JSON.stringify(value))).size > 1 };
  });
  return [...lines.filter(({ differs }) => differs), ...lines.filter(({ differs }) => !differs)];
}

interface MetricLine extends TableLine {
  /** Indices of the smallest and of the largest finite value; empty if all are equal. */
  least: ReadonlySet<number>;
  most: ReadonlySet<number>;
}

export function metricLines(
  entries: readonly RunEntry[],
  metrics: readonly string[],
  figure: Statistic,
): MetricLine[] {
  return metrics.flatMap((title): MetricLine[] => {
    const values = entries.map(entry => entry.statistic(figure, title));
    if (values.every(value => value === undefined)) return [];
    const finite = values.filter(value => value !== undefined && Number.isFinite(value)) as number[];
    const [low, high] = [Math.min(...finite), Math.max(...finite)];
    const at = (wanted: number) =>
      new Set(low < high ? values.flatMap((value, place) => (value === wanted ? [place] : [])) : []);
    return [{ title, values, differs: low < high, least: at(low), most: at(high) }];
  });
}

/** A table with a column per run. */
export function compareTable(
  caption: string,
  entries: readonly RunEntry[],
  styleOf: (id: string) => RunStyle | null,
  lines: readonly (TableLine | MetricLine)[],
  format: RunColumn["format"],
): HTMLElement {
  const heads = entries.map(({ id, name }) => {
    const style = styleOf(id);
    const line = style ? [swatch(style.color, style.dash, 14)] : [];
    const text = h("span", { class: "tb-runs-name", title: name });
    setName(text, style?.label ?? name);
    return h("th", { scope: "col" }, h("div", { class: "tb-compare-run" }, ...line, text));
  });
  const rows = lines.map(line =>
    h(
      "tr",
      { class: line.differs ? "" : "tb-same" },
      h("th", { scope: "row", title: line.title }, nameOf(line.title)),
      ...line.values.map((value, place) => tableCell(value, place, line, format)),
    ),
  );
  const table = h(
    "table",
    { class: "tb-compare-table" },
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, h("td", {}), ...heads)),
    h("tbody", {}, ...rows),
  );
  return h(
    "div",
    { class: "tb-compare-scroll", tabindex: "0", role: "region", "aria-label": caption },
    table,
  );
}

/** Return a name or value as a cell has it: cut in its middle where it is long. */
function nameOf(text: string): HTMLElement {
  const name = h("div", { class: "tb-compare-name" });
  setName(name, text);
  return name;
}

function tableCell(
  value: Scalar | undefined,
  place: number,
  line: TableLine | MetricLine,
  format: RunColumn["format"],
): HTMLElement {
  const text = value === undefined ? "–" : format(value);
  const cell = h(
    "td",
    { class: typeof value === "number" ? "tb-runs-figure" : "", title: text },
    nameOf(text),
  );
  if (!("least" in line)) return cell;
  const mark = line.least.has(place)
    ? ["▾", "the smallest"]
    : line.most.has(place)
      ? ["▴", "the largest"]
      : null;
  if (mark) {
    cell.classList.add("tb-best");
    cell.append(h("span", { class: "tb-mark", role: "img", "aria-label": mark[1], title: mark[1] }, mark[0]));
  }
  return cell;
}

/** Return the newest of the runs that are shown, in the order of the panel. */
export function comparedRuns(entries: readonly RunEntry[], shown: (id: string) => boolean): RunEntry[] {
  const visible = entries.filter(({ id }) => shown(id));
  return visible.slice(-MOST_RUNS);
}
