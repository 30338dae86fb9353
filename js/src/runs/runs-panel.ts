import { sameItems } from "../frames/columns.ts";
import type { Picture } from "../frames/picture.ts";
import type { Requests } from "../frames/requests.ts";
import { type RunEntry, type RunsTable, runEntries } from "../frames/runs-table.ts";
import type { ViewState } from "../frames/view-state.ts";
import { goalOf } from "../plot/chart-options.ts";
import type { RunStyle } from "../plot/plot-rows.ts";
import { button, h, setText } from "../ui/dom.ts";
import { formatCount } from "../ui/format.ts";
import { ColumnChooser } from "./column-chooser.ts";
import { pinnedFirst } from "./column-layout.ts";
import { type RunColumn, RunColumns } from "./columns.ts";
import { RunDetails } from "./details/run-details.ts";
import { runEdits } from "./details/run-edits.ts";
import { DrawnRunsChoice } from "./drawn-runs.ts";
import { FilterField, passing } from "./filter-field.ts";
import { completeFilter } from "./filter-names.ts";
import { FilteredDrawing } from "./filtered-drawing.ts";
import { type GridItem, RunsGrid, runKey } from "./grid.ts";
import { resultsOf } from "./results.ts";
import { groupRuns, isGrouping, parseSort, sortRuns } from "./sorting.ts";
import { MOST_DRAWN, Visibility } from "./visibility.ts";

interface PanelSource {
  picture: Picture;
  table: RunsTable;
  now: number;
}

interface PanelScene {
  /** Return the style of a run by its id, or of a group by its key. */
  runStyle(id: string): RunStyle | null;
  groupStyle(key: string): RunStyle | null;
  now: number;
}

/** The list of all runs of the project: search, sorting, grouping, selection, editing. */
export class RunsPanel {
  readonly element = h("aside", { class: "tb-panel", "aria-label": "Runs", hidden: "" });
  readonly visibility: Visibility;
  #state: ViewState;
  #requests: Requests;
  #filter: FilterField;
  #toggleAll = button("");
  #drawOnly = button("Draw only these");
  #filtered: FilteredDrawing;
  #columnsButton = h("button", { type: "button", class: "tb-button", "aria-expanded": "false" }, "Columns");
  #drawn: DrawnRunsChoice;
  #status = h("div", { class: "tb-panel-status tb-minor", role: "status" });
  #chooser: ColumnChooser;
  #grid: RunsGrid;
  #details: RunDetails;
  #source: PanelSource | null = null;
  #scene: PanelScene | null = null;
  #entries: readonly RunEntry[] = [];
  #matches: readonly RunEntry[] = [];
  #sorted: readonly RunEntry[] = []; // the matches, as they are listed
  #columns: { key: unknown[]; value: RunColumns } | null = null;
  #openRun: string | null = null;
  #message = "";

  constructor(state: ViewState, requests: Requests, signal: AbortSignal) {
    [this.#state, this.#requests] = [state, requests];
    this.visibility = new Visibility(state);
    this.#filtered = new FilteredDrawing(state, this.visibility);
    this.#drawOnly.title = "While pressed, the charts draw the runs that pass the filter, and no others";
    const edits = runEdits(state, requests, text => this.#showMessage(text));
    const doing = {
      details: (entry: RunEntry) => this.#showDetails(entry),
      follow: (entry: RunEntry) => {
        if (this.#openRun === null) return;
        this.#openRun = entry.id;
        this.#draw();
      },
      mayRename: () => {
        if (requests.refusal) this.#showMessage(requests.refusal);
        return !requests.refusal;
      },
      rename: edits.rename,
      remove: (entry: RunEntry) => {
        this.#showDetails(entry);
        this.#details.askToDelete(entry);
      },
    };
    this.#grid = new RunsGrid(state, this.visibility, doing, () => this.#draw(), signal);
    this.#filter = new FilterField(state, text => this.#complete(text), signal);
    this.#drawn = new DrawnRunsChoice(state, signal);
    this.#chooser = new ColumnChooser(ids => state.set("run_columns", ids), signal);
    const ofDetails = {
      ...edits,
      remove: (entry: RunEntry) => {
        edits.remove(entry);
        this.#closeDetails();
      },
      solo: (entry: RunEntry) => this.visibility.solo([entry.id]),
      close: () => this.#closeDetails(),
    };
    this.#details = new RunDetails(ofDetails, requests, signal);
    this.element.append(
      h("div", { class: "tb-panel-line" }, this.#filter.element, this.#columnsButton),
      this.#chooser.element,
      this.#grid.element,
      h(
        "div",
        { class: "tb-panel-line tb-panel-foot" },
        this.#status,
        this.#drawn.element,
        this.#toggleAll,
        this.#drawOnly,
      ),
      this.#details.element,
    );
    this.#toggleAll.addEventListener(
      "click",
      () => this.visibility.toggle(this.#sorted.map(({ id }) => id)),
      {
        signal,
      },
    );
    this.#drawOnly.addEventListener("click", () => state.set("draw_filtered", !state.get("draw_filtered")), {
      signal,
    });
    this.#columnsButton.addEventListener(
      "click",
      () => this.#columnsButton.setAttribute("aria-expanded", String(this.#chooser.toggle())),
      { signal },
    );
  }

  /** All runs in the newest scene. */
  get entries(): readonly RunEntry[] {
    return this.#entries;
  }

  get matches(): readonly RunEntry[] {
    return this.#matches;
  }

  get columns(): RunColumns {
    const { table, picture } = this.#source as PanelSource;
    const key = [table, picture.metrics.length, this.#entries.length];
    if (!this.#columns || !sameItems(key, this.#columns.key)) {
      this.#columns = { key, value: new RunColumns(table, this.#entries, picture.metrics) };
    }
    return this.#columns.value;
  }

  /** Read the runs and the filter; before anything is drawn, because it may set which runs are. */
  read(picture: Picture, table: RunsTable, now: number) {
    this.#source = { picture, table, now };
    this.visibility.update(picture);
    this.#entries = runEntries(table, picture);
    this.#matches = passing(this.#entries, this.#filter.update(this.columns), now);
    if (!this.#filter.holds && this.#state.get("draw_filtered")) return;
    this.#filtered.update(this.#entries, this.#matches, () => this.#inOrder(this.#matches));
  }

  update(scene: PanelScene) {
    this.#scene = scene;
    this.element.hidden = this.#state.get("panel") !== "runs";
    if (this.element.hidden) this.#details.update(null, null, undefined, scene.now);
    else this.#draw();
  }

  #draw() {
    const scene = this.#scene;
    if (!scene || this.element.hidden) return;
    const { columns } = this;
    const pinned = this.#state.get("pinned_columns");
    const shown = pinnedFirst(this.#shownColumns(columns), pinned);
    this.#sorted = this.#inOrder(this.#matches);
    this.#chooser.update(columns, shown);
    this.#grid.update({
      items: this.#itemsOf(this.#sorted),
      columns: shown,
      pinned: shown.filter(({ id }) => pinned.includes(id)).length,
      now: scene.now,
      goalOf: id => goalOf(metricOf(columns.get(id)), this.#source?.picture.runs ?? []),
      styleOf: item =>
        item.kind === "run" ? scene.runStyle(item.entry.id) : scene.groupStyle(item.group.key),
    });
    const open = this.#entries.find(({ id }) => id === this.#openRun) ?? null;
    const own = open ? this.#state.get("run_colors")[open.id] : undefined;
    this.#details.update(
      open,
      open && scene.runStyle(open.id),
      own,
      scene.now,
      open ? this.#resultsOf(open) : [],
    );
    this.#drawn.update(columns, Math.max(this.#source?.table.total ?? 0, this.#entries.length));
    this.#showStatus();
  }

  #inOrder(runs: readonly RunEntry[]): readonly RunEntry[] {
    return sortRuns(runs, this.#state.get("run_sort"), this.columns, this.#source?.now ?? 0);
  }

  #resultsOf(entry: RunEntry) {
    const baseline = this.#entries.find(({ id }) => id === this.#state.get("baseline"));
    const runs = this.#source?.picture.runs ?? [];
    return resultsOf(entry, baseline, this.columns.metrics, metric => goalOf(metric, runs));
  }

  /** Return the columns to show; the sort column is always among them, to show the direction. */
  #shownColumns(columns: RunColumns): RunColumn[] {
    const shown = columns.shown(this.#state.get("run_columns"));
    const sort = this.#state.get("run_sort");
    const by = sort ? columns.get(parseSort(sort).id) : null;
    return by && !shown.some(({ id }) => id === by.id) ? [shown[0], by, ...shown.slice(1)] : shown;
  }

  #itemsOf(sorted: readonly RunEntry[]): GridItem[] {
    const run = (entry: RunEntry): GridItem => ({ kind: "run", key: runKey(entry.id), entry });
    const by = this.#state.get("group_by");
    if (!isGrouping(by)) return sorted.map(run);
    return groupRuns(sorted, by).flatMap((group): GridItem[] => {
      const key = `group:${group.key}`;
      const members = this.#grid.isOpen(key) ? group.members.map(run) : [];
      return [{ kind: "group", key, group }, ...members];
    });
  }

  #showStatus() {
    const [all, found] = [this.#entries.length, this.#matches.length];
    const shown = this.#matches.filter(({ id }) => this.visibility.shown(id)).length;
    const of = found < all ? `${formatCount(found)} of ${formatCount(all)}` : formatCount(all);
    const omitted = this.#source?.table.omitted ?? 0;
    const when = this.#requests.possible ? "arrive when the kernel answers" : "are not saved in this page";
    const left = omitted ? `; ${formatCount(omitted)} older ones ${when}` : "";
    const drawn = this.#entries.filter(({ id }) => this.visibility.shown(id)).length;
    const beyond = this.#filtered.left
      ? `; ${formatCount(this.#filtered.left)} more pass, but only ${MOST_DRAWN} are added`
      : "";
    const said = `${of} ${all === 1 ? "run" : "runs"}, ${formatCount(drawn)} drawn${beyond}${left}`;
    setText(this.#status, this.#message || said);
    const everything = shown === found;
    setText(
      this.#toggleAll,
      everything ? "Hide all" : found > MOST_DRAWN ? `Show ${MOST_DRAWN} more` : "Show all",
    );
    this.#toggleAll.hidden = found === 0;
    const isOn = this.#state.get("draw_filtered");
    this.#drawOnly.setAttribute("aria-pressed", String(isOn));
    this.#drawOnly.hidden = !isOn && !this.#state.get("run_filter").trim();
  }

  #complete(text: string): string[] {
    return this.#scene ? completeFilter(text, this.columns, this.#entries, this.#scene.now) : [];
  }

  #showDetails(entry: RunEntry) {
    this.#openRun = entry.id;
    this.#draw();
    this.#details.element.scrollIntoView?.({ block: "nearest" });
    this.#details.focus();
  }

  #closeDetails() {
    this.#openRun = null;
    this.#draw();
    this.#grid.focus();
  }

  #showMessage(message: string) {
    this.#message = message;
    this.#draw();
  }
}

/** Return the metric of a column; "" of one that has none. */
function metricOf(column: RunColumn | null): string {
  const has = column && column.kind !== "run" && column.kind !== "config";
  return has ? column.id.slice(column.kind.length + 1) : "";
}
