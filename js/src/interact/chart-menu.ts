import type { Chart } from "../charts/chart.ts";
import type { UserChart } from "../charts/user-chart.ts";
import { NoAnswer, type Requests } from "../frames/requests.ts";
import { h } from "../ui/dom.ts";
import type { Enlargeable } from "../ui/fullscreen.ts";
import { Popover, popoverButton } from "../ui/popover.ts";
import { altairCode } from "./altair-code.ts";
import { allPoints, toCsv } from "./csv.ts";
import { copyPng, download, type Pictured, type PictureSize, savePng, saveSvg } from "./pictures.ts";

const PATIENCE = 5000; // ms

/** Where and how large charts are on the board, by name. */
interface ChartArrangement {
  isPinned(name: string): boolean;
  togglePin(name: string): void;
  move(name: string, by: number): void;
  combine(name: string, onto: string): void;
  separate(name: string): void;
  sizeOf(name: string): string;
  setSize(name: string, size: string): void;
}

const SIZES = ["1x1", "2x1", "3x1", "2x2", "3x2"];

/** The actions of a chart's menu on its board. */
interface ChartActions {
  arrangement: ChartArrangement;
  /** The charts that are offered to be drawn in this one too. */
  others(chart: Chart): readonly string[];
  isCombined(chart: Chart): boolean;
  project(): string;
  showLarge(chart: Enlargeable, name: string): void;
  resetZoom(chart: Chart): void;
  /** The kernel; null if the chart draws data that the kernel lacks. */
  requests(): Requests | null;
  pictureSize(): PictureSize;
  isLog(chart: Chart): boolean;
  isLogEverywhere(): boolean;
  setLog(chart: Chart, log: boolean): void;
  setLogEverywhere(log: boolean): void;
  setRange(chart: Chart, range: readonly (number | null)[]): void;
  setLines(chart: Chart, values: readonly number[]): void;
}

interface MenuItem {
  text: string;
  /** For items that are on or off. */
  checked?: boolean;
  disabled?: boolean;
  /** Run the item; may return a message on the result. */
  act(): Promise<string | undefined> | undefined;
}

/** The menu behind the "⋯" of each chart; all charts share it. */
export class ChartMenu {
  #actions: ChartActions;
  #popover: Popover;
  #status = h("div", { class: "tb-menu-status", role: "status" });
  #signal: AbortSignal;

  constructor(actions: ChartActions, signal: AbortSignal) {
    [this.#actions, this.#signal] = [actions, signal];
    this.#popover = new Popover("menu", "Chart", signal);
    this.#popover.panel.classList.add("tb-chart-menu");
    this.#popover.panel.addEventListener("keydown", event => this.#walk(event), { signal });
  }

  /** Add the menu button to the chart's header. */
  attach(chart: Chart) {
    const button = popoverButton(this.#popover, `Menu of ${chart.metric}`, "tb-more", "⋯");
    button.title = "More";
    button.addEventListener("click", () => this.#show(chart, button), { signal: this.#signal });
    chart.title.after(button);
    chart.onLogHint = () => {
      this.#actions.setLog(chart, true);
      button.focus({ preventScroll: true }); // the hint, which had the focus, is gone
    };
  }

  /** Add the menu button to the header of a user's chart, whose menu has what can be done with any chart. */
  attachUserChart(chart: UserChart) {
    const button = popoverButton(this.#popover, `Menu of ${chart.name}`, "tb-more", "⋯");
    button.title = "More";
    const pictured = { metric: chart.name, picture: chart.picture.bind(chart) };
    const items = () => [[this.#largeItem(chart, chart.name)], this.#pictureItems(pictured)];
    button.addEventListener("click", () => this.#open(chart.body, items(), [], button), {
      signal: this.#signal,
    });
    chart.head.append(button);
  }

  #show(chart: Chart, button: HTMLElement) {
    this.#open(chart.body, this.#items(chart), [this.#sizes(chart), this.#axisForm(chart)], button);
  }

  #open(body: HTMLElement, items: MenuItem[][], more: HTMLElement[], button: HTMLElement) {
    const { panel } = this.#popover;
    if (panel.parentElement !== body) {
      this.#popover.close();
      body.append(panel); // also inside a full-screen dialog, which blocks everything outside
    }
    this.#status.textContent = "";
    const groups = items.map(group => h("div", { role: "group" }, ...group.map(item => this.#entry(item))));
    panel.replaceChildren(...groups, ...more, this.#status);
    this.#popover.toggle(button);
  }

  /** Return an action that closes the menu. */
  #now = (act: () => void) => () => {
    this.#popover.close();
    act();
    return undefined;
  };

  #largeItem(chart: Enlargeable, name: string): MenuItem {
    const isLarge = chart.body.closest("dialog") !== null;
    const act = this.#now(() => this.#actions.showLarge(chart, name));
    return { text: isLarge ? "Exit full screen" : "Full screen", act };
  }

  #pictureItems(chart: Pictured): MenuItem[] {
    const size = () => this.#actions.pictureSize();
    return [
      { text: "Copy picture", act: () => copyPng(chart, size()) },
      { text: "Save as PNG", act: () => savePng(chart, size()) },
      { text: "Save as SVG", act: () => saveSvg(chart, size()) },
    ];
  }

  #items(chart: Chart): MenuItem[][] {
    const actions = this.#actions;
    const { zoom } = chart;
    const now = this.#now;
    const [log, everywhere] = [actions.isLog(chart), actions.isLogEverywhere()];
    const { arrangement } = actions;
    const { metric } = chart;
    const pinned = arrangement.isPinned(metric);
    const combined = actions
      .others(chart)
      .map(name => ({ text: `Combine with ${name}`, act: now(() => arrangement.combine(name, metric)) }));
    const separate = { text: "Separate the metrics", act: now(() => arrangement.separate(metric)) };
    return [
      [
        this.#largeItem(chart, metric),
        { text: "Reset zoom", disabled: !zoom.x && !zoom.y, act: now(() => actions.resetZoom(chart)) },
      ],
      [
        { text: "Pin to the top", checked: pinned, act: now(() => arrangement.togglePin(metric)) },
        { text: "Move earlier", act: now(() => arrangement.move(metric, -1)) },
        { text: "Move later", act: now(() => arrangement.move(metric, 1)) },
        ...combined,
        ...(actions.isCombined(chart) ? [separate] : []),
      ],
      [
        { text: "Log y", checked: log, act: now(() => actions.setLog(chart, !log)) },
        {
          text: "Log y, all charts",
          checked: everywhere,
          act: now(() => actions.setLogEverywhere(!everywhere)),
        },
      ],
      [
        ...this.#pictureItems(chart),
        { text: "Save as CSV", act: () => this.#saveCsv(chart) },
        { text: "Save as Parquet", act: () => this.#saveParquet(chart) },
        { text: "Copy Altair code", act: () => this.#copyCode(chart) },
      ],
    ];
  }

  /** The sizes that a chart can have, in columns and rows. */
  #sizes({ metric }: Chart): HTMLElement {
    const { arrangement } = this.#actions;
    const entries = SIZES.map(size => {
      const text = size.replace("x", "×");
      const checked = String(arrangement.sizeOf(metric) === size);
      const attributes = { type: "button", role: "menuitemradio", tabindex: "-1", "aria-checked": checked };
      const entry = h("button", { ...attributes, class: "tb-menu-item" }, text);
      entry.addEventListener("click", () => {
        this.#popover.close();
        arrangement.setSize(metric, size);
      });
      return entry;
    });
    return h("div", { role: "group", class: "tb-menu-sizes", "aria-label": "Size" }, ...entries);
  }

  /** Fields for the ends of the y axis and for reference lines. */
  #axisForm(chart: Chart): HTMLElement {
    const { yRange = [], lines = [] } = chart.scene?.options ?? {};
    const field = (label: string, value: string, act: (field: HTMLInputElement) => void) => {
      const attributes = { type: "text", class: "tb-menu-field", "aria-label": label, placeholder: "auto" };
      const made = h("input", { ...attributes, value });
      made.addEventListener("change", () => act(made));
      return made;
    };
    const setRange = () => {
      const ends = [from, to].map(({ value }) => numbersIn(value)[0] ?? null);
      const [low, high] = ends;
      const wrong = low !== null && high !== null && low >= high;
      this.#status.textContent = wrong ? "The upper end is not above the lower one." : "";
      if (!wrong) this.#actions.setRange(chart, low === null && high === null ? [] : ends);
    };
    const setLines = ({ value }: HTMLInputElement) => this.#actions.setLines(chart, numbersIn(value));
    const from = field("Lower end of the y axis", String(yRange[0] ?? ""), setRange);
    const to = field("Upper end of the y axis", String(yRange[1] ?? ""), setRange);
    const at = field("Reference lines", lines.join(", "), setLines);
    at.placeholder = "none";
    const range = h("div", { class: "tb-menu-line" }, "Y from", from, "to", to);
    return h(
      "div",
      { role: "group", "aria-label": "Y axis" },
      range,
      h("div", { class: "tb-menu-line" }, "Line at", at),
    );
  }

  #entry({ text, checked, disabled, act }: MenuItem): HTMLElement {
    const role = checked === undefined ? "menuitem" : "menuitemcheckbox";
    const entry = h("button", { type: "button", role, tabindex: "-1", class: "tb-menu-item" }, text);
    if (checked !== undefined) entry.setAttribute("aria-checked", String(checked));
    entry.disabled = disabled ?? false;
    const run = async () => {
      try {
        const said = await act();
        if (said === undefined) this.#popover.close();
        else this.#status.textContent = said;
      } catch (error) {
        this.#status.textContent = (error as Error).message;
      }
    };
    entry.addEventListener("click", () => void run()); // removed together with the entry
    return entry;
  }

  /** Move the focus with arrows, Home and End; Tab closes the menu. */
  #walk(event: KeyboardEvent) {
    if (event.key === "Tab") return this.#popover.close();
    const entries = [...this.#popover.panel.querySelectorAll<HTMLButtonElement>("button:enabled")];
    const root = this.#popover.panel.getRootNode() as Document | ShadowRoot;
    const at = entries.indexOf(root.activeElement as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    entries.at(to % entries.length)?.focus();
  }

  /** Return all points, from the kernel; if it does not answer, the drawn rows, as the file's name then says. */
  async #saveCsv({ metric, plot, sources }: Chart): Promise<string | undefined> {
    if (!plot) throw new Error("Nothing is drawn yet.");
    const save = (rows: Parameters<typeof toCsv>[0], name: string) =>
      download(new Blob([toCsv(rows)], { type: "text/csv" }), `${name}.csv`);
    try {
      const requests = this.#kernel();
      const asked = sources.map(each => allPoints(requests, each.metric, each.styles, () => this.#wait()));
      save((await withPatience(Promise.all(asked))).flat(), metric);
      return undefined;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      save(
        plot.traces.flatMap(({ rows }) => rows),
        `${metric} as drawn`,
      );
      return `${error.message} Saved as drawn.`;
    }
  }

  /** Save all points as Parquet, which only the kernel can write. */
  async #saveParquet({ metric, sources }: Chart): Promise<undefined> {
    const parts = sources.map(each => ({
      metric: each.metric,
      runs: each.styles.map(({ run }) => run.id),
      labels: each.styles.map(({ label }) => label),
    }));
    const asked = this.#kernel().ask("parquet", { parts }, () => this.#wait());
    const { buffers } = await withPatience(asked);
    download(new Blob([buffers[0] as DataView<ArrayBuffer>]), `${metric}.parquet`);
  }

  #kernel(): Requests {
    const requests = this.#actions.requests();
    if (!requests) throw new NoAnswer("Groups of runs are drawn.");
    return requests;
  }

  #wait() {
    this.#status.textContent = "Waiting for the kernel…";
  }

  async #copyCode(chart: Chart): Promise<string> {
    const { scene, plot } = chart;
    if (!scene || !plot) return "Nothing is drawn yet.";
    const styles = plot.traces.map(({ style }) => style);
    const { x, log } = { x: scene.axes.x, log: plot.log };
    const code = altairCode({ project: this.#actions.project(), metric: chart.metric, styles, x, log });
    await navigator.clipboard.writeText(code);
    return "Copied.";
  }
}

function numbersIn(text: string): number[] {
  const parts = text.split(/[,;\s]+/).filter(Boolean);
  return parts.map(part => Number(part.replace("−", "-"))).filter(Number.isFinite);
}

/** Wait for an answer, except from a kernel that is busy with a cell. */
async function withPatience<T>(answer: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer("The kernel is busy.")), PATIENCE);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
