import { Compare } from "../compare/compare.ts";
import { type HostModel, onTraitChange } from "../frames/host-model.ts";
import type { Picture } from "../frames/picture.ts";
import { Requests } from "../frames/requests.ts";
import { decodeRunsTable, type RunEntry, type RunsTable } from "../frames/runs-table.ts";
import type { ViewState, ViewTraits } from "../frames/view-state.ts";
import { styleRuns } from "../plot/palette.ts";
import type { RunStyle } from "../plot/plot-rows.ts";
import { type GroupPicture, RunGrouper } from "../plot/run-groups.ts";
import { type ColorKey, columnColors } from "../runs/color-by.ts";
import { columnOf, configKey, type RunColumn } from "../runs/columns.ts";
import { RunsPanel } from "../runs/runs-panel.ts";
import { groupOf, isGrouping } from "../runs/sorting.ts";
import { h, setText } from "../ui/dom.ts";
import { formatCount } from "../ui/format.ts";
import { Tabs } from "../ui/tabs.ts";
import type { Theme } from "../ui/theme.ts";
import { PanelEdge } from "./panel-edge.ts";

const MOST_METRICS = 8; // that colours are offered by
const BANDS: Record<ViewTraits["band"], string> = {
  minmax: "Mean, min to max",
  std: "Mean ± std",
  none: "Mean only",
};

/** The picture that charts draw: of runs, or of groups of runs. */
export type DrawnPicture = Picture & Partial<GroupPicture>;

interface RunColors {
  colors: Readonly<Record<string, string>>;
  key: ColorKey | null;
}

/** The panel beside the charts, with the tabs Runs and Compare and the grouping of runs. */
export class Sidebar {
  /** Opens the sidebar; placed in the board's header. */
  readonly button = h("button", {
    type: "button",
    class: "tb-button tb-runs-button",
    "aria-expanded": "false",
  });
  readonly element = h("div", { class: "tb-side", hidden: "" });
  #state: ViewState;
  #model: HostModel;
  #tabs: Tabs<"runs" | "compare">;
  #groupBy = h("select", { class: "tb-select", "aria-label": "Group runs by" });
  #colorBy = h("select", { class: "tb-select", "aria-label": "Color runs by" });
  #band = h("select", { class: "tb-select", "aria-label": "Drawn per group" });
  #panel: RunsPanel;
  #edge: PanelEdge;
  #compare: Compare;
  #aggregator = new RunGrouper();
  #colors: { of: readonly unknown[]; value: RunColors } | null = null;

  constructor(state: ViewState, model: HostModel, onChange: () => void, signal: AbortSignal) {
    [this.#state, this.#model] = [state, model];
    this.#panel = new RunsPanel(state, new Requests(model, signal), signal);
    this.#compare = new Compare(signal);
    onTraitChange(model, ["table"], onChange, signal);
    for (const [value, name] of Object.entries(BANDS)) this.#band.append(h("option", { value }, name));
    const close = h(
      "button",
      { type: "button", class: "tb-button tb-panel-close", "aria-label": "Close" },
      "×",
    );
    const names = { runs: "Runs", compare: "Compare" };
    this.#tabs = new Tabs(names, "Sidebar", name => state.set("panel", name), signal);
    const line = h(
      "div",
      { class: "tb-panel-line tb-side-line" },
      this.#tabs.element,
      this.#groupBy,
      this.#colorBy,
      this.#band,
      close,
    );
    const edge = new PanelEdge(this.element, state, signal);
    line.insertBefore(edge.wide, close);
    this.element.append(line, this.#panel.element, this.#compare.element, edge.element);
    this.#edge = edge;
    const on = (element: HTMLElement, event: string, act: () => void) =>
      element.addEventListener(event, act, { signal });
    on(this.button, "click", () => state.set("panel", state.get("panel") ? "" : "runs"));
    on(close, "click", () => {
      state.set("panel", "");
      this.button.focus();
    });
    on(this.#groupBy, "change", () => state.set("group_by", this.#groupBy.value));
    on(this.#colorBy, "change", () => state.set("color_by", this.#colorBy.value));
    on(this.#band, "change", () => state.set("band", this.#band.value as ViewTraits["band"]));
  }

  /** Whether groups are drawn instead of runs. */
  get isGrouping(): boolean {
    return isGrouping(this.#state.get("group_by"));
  }

  /** Read the runs of a picture and which of them are drawn; before anything else is done with it. */
  read(picture: Picture, now: number) {
    this.#panel.read(picture, decodeRunsTable(this.#model.get("table")), now);
  }

  /** The runs that the filter keeps hidden. */
  get filteredOut(): ReadonlySet<string> {
    return this.#panel.visibility.kept;
  }

  /** Return the picture that charts draw. */
  drawn(picture: Picture): DrawnPicture {
    const by = this.#state.get("group_by");
    if (!this.isGrouping) return picture;
    const known = new Map(decodeRunsTable(this.#model.get("table")).runs.map(entry => [entry.id, entry]));
    const nothing = new Map();
    return this.#aggregator.groupPicture(
      picture,
      run => groupOf({ group: run.group, config: known.get(run.id)?.config ?? nothing }, by),
      new Set(this.#state.get("hidden_runs")),
      this.#state.get("band"),
    );
  }

  /**
   * Return the colours of runs by id: those chosen by hand, and those of the column `color_by`, with what they mean. The
   * same object until the table or a setting changes: the project may have thousands of runs.
   */
  colors(theme: Theme, now: number): RunColors {
    const [by, chosen] = [this.isGrouping ? "" : this.#state.get("color_by"), this.#state.get("run_colors")];
    const table = decodeRunsTable(this.#model.get("table"));
    const of = [table, by, chosen, theme];
    if (!this.#colors || of.some((each, i) => each !== this.#colors?.of[i]))
      this.#colors = { of, value: colorsBy(columnOf(by), table, chosen, theme, now) };
    return this.#colors.value;
  }

  /** Return the ids that are hidden in the drawn picture; a group is hidden if all of its runs are. */
  hidden({ members }: DrawnPicture): string[] {
    const hidden = this.#state.get("hidden_runs");
    const groups = [...(members ?? [])].filter(([, ids]) => ids.every(id => hidden.includes(id)));
    return [...hidden, ...groups.map(([id]) => id)];
  }

  /** Update from a picture and what `drawn` returned for it. Returns the style of each run by id. */
  update(
    picture: Picture,
    drawn: DrawnPicture,
    theme: Theme,
    now: number,
    strong = false,
  ): (id: string) => RunStyle | null {
    const open = this.#state.get("panel");
    const table = decodeRunsTable(this.#model.get("table"));
    const hidden = new Set(this.hidden(drawn));
    const { colors } = this.colors(theme, picture.now);
    const runs = styleRuns(picture.runs, theme, colors, strong, hidden);
    const keys = new Map(picture.runs.map(({ id, key }) => [id, key]));
    const runStyle = (id: string) => {
      const key = keys.get(id);
      const style = key === undefined ? undefined : runs.get(key);
      return style ?? null;
    };
    const groups = drawn === picture ? null : styleRuns(drawn.runs, theme, {}, false, hidden);
    const groupStyle = (key: string) => groups?.get(drawn.keys?.get(key) ?? -1) ?? null;
    this.#panel.update({ runStyle, groupStyle, now });
    this.#showOpen(open);
    const { entries, matches: found, visibility } = this.#panel;
    this.#showGroupings(entries);
    const total = Math.max(table.total, entries.length, picture.runs.length);
    const shown = picture.runs.filter(({ id }) => visibility.shown(id)).length;
    const of = shown < total ? `${formatCount(shown)} of ${formatCount(total)}` : formatCount(total);
    setText(this.button, `Runs ${of}`);
    this.button.title = `${formatCount(shown)} of the project's ${formatCount(total)} runs are drawn`;
    this.#compare.element.hidden = open !== "compare";
    if (open === "compare") {
      const { columns } = this.#panel;
      const shown = (id: string) => visibility.shown(id);
      this.#compare.update({ entries: found, shown, styleOf: runStyle, columns, theme, now });
    }
    return runStyle;
  }

  #showOpen(open: ViewTraits["panel"]) {
    this.element.hidden = !open;
    this.button.setAttribute("aria-expanded", String(Boolean(open)));
    this.#tabs.update(open);
    this.#edge.update();
  }

  #showGroupings(entries: readonly RunEntry[]) {
    const by = this.#state.get("group_by");
    const keys = entries.length ? this.#panel.columns.varying() : []; // a value that all runs have makes no groups
    const values = ["", "group", ...keys.map(key => `config.${key}`)];
    if (!values.includes(by)) values.push(by);
    const shown = [...this.#groupBy.options].map(({ value }) => value);
    if (JSON.stringify(shown) !== JSON.stringify(values)) {
      const named = (value: string) => (value === "" ? "No groups" : `By ${configKey(value) ?? value}`);
      this.#groupBy.replaceChildren(...values.map(value => h("option", { value }, named(value))));
    }
    this.#groupBy.value = by;
    this.#showColorings(entries);
    this.#band.hidden = !isGrouping(by);
    this.#band.value = this.#state.get("band");
  }

  #showColorings(entries: readonly RunEntry[]) {
    const by = this.#state.get("color_by");
    const columns = entries.length ? this.#panel.columns : null;
    const config = columns?.varying().map(key => `config.${key}`) ?? [];
    const metrics = columns?.metrics.slice(0, MOST_METRICS).map(metric => `summary.${metric}`) ?? [];
    const values = [...new Set(["", "group", "state", ...config, ...metrics, by])];
    const shown = [...this.#colorBy.options].map(({ value }) => value);
    if (JSON.stringify(shown) !== JSON.stringify(values)) {
      const named = (id: string) => (id ? `Colour by ${columnOf(id)?.title ?? id}` : "Own colours");
      this.#colorBy.replaceChildren(...values.map(value => h("option", { value }, named(value))));
    }
    this.#colorBy.value = by;
    this.#colorBy.hidden = this.isGrouping;
  }
}

function colorsBy(
  column: RunColumn | null,
  { runs }: RunsTable,
  chosen: Readonly<Record<string, string>>,
  theme: Theme,
  now: number,
): RunColors {
  if (!column || !runs.length) return { colors: chosen, key: null };
  const { colors, key } = columnColors(column, runs, now, theme);
  return { colors: { ...colors, ...chosen }, key };
}
