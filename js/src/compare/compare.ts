import parallel from "../../../src/trackbook/charts/vega_lite/parallel.json";
import scatter from "../../../src/trackbook/charts/vega_lite/scatter.json";
import type { RunEntry, Scalar, Statistic as Which } from "../frames/runs-table.ts";
import type { RunStyle } from "../plot/plot-rows.ts";
import { formatConfigValue, formatScalar, type RunColumn, type RunColumns } from "../runs/columns.ts";
import { compareValues as order } from "../runs/sorting.ts";
import { setName } from "../ui/cut-name.ts";
import { h, labelled, setText } from "../ui/dom.ts";
import { formatCount } from "../ui/format.ts";
import type { Theme } from "../ui/theme.ts";
import { brushedRows, ParallelBrush } from "./brush.ts";
import { CompareChart } from "./compare-chart.ts";
import { type CompareRow, isNumeric, LOG_RATIO, parallelRows, scatterRows } from "./compare-rows.ts";
import { importances } from "./importance.ts";
import { comparedRuns, compareTable, configLines, MOST_RUNS, metricLines } from "./tables.ts";

const MOST_AXES = 7;
const METRIC_ROWS = 60; // rows of the table
// of Jupyter's themes, behind the labels
const BACKGROUND: Record<Theme, string> = { light: "#ffffff", dark: "#111111" };
const STATISTIC_TITLES: Record<Which, string> = {
  last: "Last values",
  min: "Smallest values",
  max: "Largest values",
};

interface CompareScene {
  /** The runs that match the panel's search. */
  entries: readonly RunEntry[];
  shown(id: string): boolean;
  styleOf(id: string): RunStyle | null;
  columns: RunColumns;
  theme: Theme;
  now: number;
}

/**
 * Compares runs: tables of config and metric values of the shown runs, and two charts of all runs that match the
 * search.
 */
export class Compare {
  readonly element = h("div", { class: "tb-compare", hidden: "" });
  #note = h("div", { class: "tb-minor", role: "status" });
  #showEqual = h("input", { type: "checkbox" });
  #statistic = select("Metric value");
  #tables = h("div", { class: "tb-compare-tables" });
  #x = select("X");
  #y = select("Y");
  #metric = select("Metric of the last axis");
  #scatter: CompareChart;
  #parallel: CompareChart;
  #scatterNote = h("div", { class: "tb-minor tb-under", "aria-live": "polite" });
  #parallelNote = h("div", { class: "tb-minor tb-under", "aria-live": "polite" });
  #brush: ParallelBrush;
  #importance = h("div", { class: "tb-importance" });
  #rows: readonly CompareRow[] = [];
  #scene: CompareScene | null = null;
  #tablesKey = "";
  #options = new Map<HTMLSelectElement, string>();

  constructor(signal: AbortSignal) {
    this.#scatter = new CompareChart(scatter, signal);
    this.#parallel = new CompareChart(parallel, signal);
    this.#brush = new ParallelBrush(this.#parallel, () => this.#draw(), signal);
    for (const [value, name] of Object.entries(STATISTIC_TITLES))
      this.#statistic.append(h("option", { value }, name));
    const all = h("label", { class: "tb-choice" }, this.#showEqual, h("span", {}, "Show equal values"));
    this.element.append(
      h("div", { class: "tb-panel-line" }, this.#note, all, this.#statistic),
      this.#tables,
      h(
        "div",
        { class: "tb-compare-charts" },
        chartSection(
          [labelled("Y", this.#y), labelled("X", this.#x)],
          this.#scatter.element,
          this.#scatterNote,
        ),
        chartSection(
          [labelled("Metric", this.#metric)],
          this.#parallel.element,
          this.#parallelNote,
          this.#importance,
        ),
      ),
    );
    for (const control of [this.#showEqual, this.#statistic, this.#x, this.#y, this.#metric]) {
      control.addEventListener("change", () => this.#draw(), { signal });
    }
    const plot = this.#scatter.element;
    plot.addEventListener("pointermove", event => this.#point(event), { signal });
    plot.addEventListener("pointerleave", () => setText(this.#scatterNote, ""), { signal });
  }

  update(scene: CompareScene) {
    this.#scene = scene;
    this.#draw();
  }

  #draw() {
    const scene = this.#scene;
    if (!scene) return;
    this.#fillSelects(scene);
    this.#drawTables(scene);
    this.#drawScatter(scene);
    this.#drawParallel(scene);
  }

  #drawTables({ entries, shown, styleOf, columns }: CompareScene) {
    const runs = comparedRuns(entries, shown);
    const all = entries.filter(({ id }) => shown(id)).length;
    const which = this.#statistic.value as Which;
    const config = configLines(runs, columns.config).filter(
      ({ differs }) => differs || this.#showEqual.checked,
    );
    const metrics = metricLines(runs, columns.metrics, which).slice(0, METRIC_ROWS);
    const looks = runs.map(({ id }) => [styleOf(id)?.label, styleOf(id)?.color]);
    const key = JSON.stringify([looks, runs.map(({ id }) => id), config, metrics]);
    setText(this.#note, noteOf(runs.length, all));
    if (key === this.#tablesKey) return; // a rebuilt table would lose its scroll position and selection
    this.#tablesKey = key;
    const same = runs.length > 1 ? "All config values are equal." : "";
    const first = config.length
      ? compareTable("Config", runs, styleOf, config, formatConfigValue)
      : h("div", { class: "tb-minor" }, same);
    const second = metrics.length
      ? [compareTable(STATISTIC_TITLES[which], runs, styleOf, metrics, formatScalar)]
      : [];
    this.#tables.replaceChildren(...(runs.length ? [first, ...second] : []));
  }

  #drawScatter({ entries, columns, styleOf, theme, now }: CompareScene) {
    const [x, y] = [columns.get(this.#x.value), columns.get(this.#y.value)];
    if (!x || !y) return;
    const rows = scatterRows(entries, x, y, { now, styleOf });
    const across = positions(rows, "x", isNumeric(x, entries, now));
    const up = positions(rows, "y", isNumeric(y, entries, now));
    this.#rows = rows.map((row, i) => ({ ...row, text: pointText(row, x, y), x: across.at[i], y: up.at[i] }));
    const signals = { x_names: across.names, x_log: across.log, y_names: up.names, y_log: up.log };
    this.#scatter.update(this.#rows, signals, theme);
    this.#scatter.element.setAttribute("aria-label", `${y.title} against ${x.title}, ${rows.length} runs`);
  }

  #drawParallel({ entries, columns, styleOf, theme, now }: CompareScene) {
    const varied = columns.varying(entries).slice(0, MOST_AXES - 1);
    const wanted = [...varied.map(key => `config.${key}`), this.#metric.value];
    const chosen = wanted.map(id => columns.get(id)).filter(column => column !== null);
    const { rows, axes, runs } = parallelRows(entries, chosen, { now, styleOf });
    const keys = chosen.filter(({ kind }) => kind === "config");
    this.#drawImportance(keys, columns.get(this.#metric.value), entries, now);
    const enough = axes.length > 1;
    this.#parallel.element.hidden = !enough;
    this.#brush.update(axes.map(({ id }) => id));
    const { brushes } = this.#brush;
    const brushed = brushedRows(rows, brushes, theme);
    this.#parallel.update(enough ? brushed.rows : [], { ground: BACKGROUND[theme] }, theme);
    const names = axes.map(({ title }) => title).join(", ");
    this.#parallel.element.setAttribute("aria-label", `${formatCount(runs)} runs over ${names}`);
    setText(
      this.#parallelNote,
      enough
        ? brushes.size
          ? `${formatCount(brushed.inside)} of ${formatCount(runs)} runs are in the ranges; click an axis to remove its range`
          : `${formatCount(runs)} runs with all of these values, coloured by the last; drag along an axis for a range`
        : "A chart of a sweep appears here when runs differ in their config.",
    );
  }

  /** Show how much of the result each config key explains. */
  #drawImportance(
    keys: readonly RunColumn[],
    result: RunColumn | null,
    entries: readonly RunEntry[],
    now: number,
  ) {
    const found = result ? importances(keys, result, entries, now) : [];
    const lines = found.map(({ column, share, correlation }) => {
      const bar = h("div", { class: "tb-importance-bar" });
      bar.style.width = `${Math.round(100 * share)}%`;
      const way = Number.isNaN(correlation) ? "" : correlation > 0 ? "↑" : "↓";
      const name = h("span", {});
      setName(name, column.title);
      const said = Number.isNaN(correlation) ? "" : `; rank correlation ${correlation.toFixed(2)}`;
      return h(
        "div",
        {
          class: "tb-importance-line",
          title: `${column.title} explains ${Math.round(100 * share)} %${said}`,
        },
        name,
        h("span", { class: "tb-importance-track" }, bar),
        h("span", { class: "tb-number" }, `${Math.round(100 * share)} % ${way}`.trim()),
      );
    });
    const title = `Explained of ${result?.title ?? ""}, by ranks`;
    this.#importance.hidden = !lines.length;
    this.#importance.replaceChildren(h("div", { class: "tb-minor" }, title), ...lines);
  }

  #point(event: PointerEvent) {
    setText(this.#scatterNote, this.#scatter.nearest(this.#rows, event)?.text ?? "");
  }

  #fillSelects({ columns, entries }: CompareScene) {
    const metrics = columns.metrics.map(metric => `summary.${metric}`);
    const extremes = columns.metrics.flatMap(metric => [`min.${metric}`, `max.${metric}`]);
    const config = columns.varying(entries).map(key => `config.${key}`);
    const all = [...config, ...metrics, ...extremes, "duration", "started"];
    const first = metrics[0] ?? "duration";
    this.#fillSelect(this.#x, all, config[0] ?? metrics[1] ?? "duration", columns);
    this.#fillSelect(this.#y, all, first, columns);
    this.#fillSelect(this.#metric, [...metrics, ...extremes, "duration"], first, columns);
  }

  /** Fill a select; keep its value while that is an option. */
  #fillSelect(select: HTMLSelectElement, ids: readonly string[], usual: string, columns: RunColumns) {
    const key = JSON.stringify(ids);
    if (this.#options.get(select) === key) return;
    this.#options.set(select, key);
    const before = select.value;
    select.replaceChildren(...ids.map(id => h("option", { value: id }, columns.get(id)?.title ?? id)));
    select.value = ids.includes(before) ? before : usual;
  }
}

function noteOf(compared: number, shown: number): string {
  if (compared === 0) return "Show runs in the list to compare them.";
  if (compared === 1) return "One run is shown; show another to compare them.";
  return shown > MOST_RUNS
    ? `The ${MOST_RUNS} newest of ${formatCount(shown)} shown runs`
    : `${compared} shown runs`;
}

function pointText({ run, x, y }: CompareRow, across: RunColumn, up: RunColumn): string {
  return `${run}: ${across.title} ${across.format(x ?? null)}, ${up.title} ${up.format(y ?? null)}`;
}

/**
 * Return chart positions: numbers as they are, or their logarithm if they span magnitudes; other values by their
 * place in the sorted list.
 */
export function positions(rows: readonly CompareRow[], axis: "x" | "y", numeric: boolean) {
  const values = rows.map(row => row[axis] as Scalar);
  if (!numeric) {
    const names = [...new Set(values)].sort(order);
    return { at: values.map(value => names.indexOf(value)), names: names.map(String), log: null };
  }
  const numbers = values as number[];
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const log = low > 0 && high / low >= LOG_RATIO;
  return { at: log ? numbers.map(Math.log10) : numbers, names: null, log: log || null };
}

function select(name: string): HTMLSelectElement {
  return h("select", { class: "tb-select", "aria-label": name });
}

function chartSection(controls: HTMLElement[], plot: HTMLElement, ...under: HTMLElement[]): HTMLElement {
  return h(
    "section",
    { class: "tb-compare-chart" },
    h("div", { class: "tb-panel-line" }, ...controls),
    plot,
    ...under,
  );
}
