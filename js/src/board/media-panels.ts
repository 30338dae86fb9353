import { createUserView } from "../charts/user-view.ts";
import type { HostModel } from "../frames/host-model.ts";
import { importOnce } from "../frames/import-once.ts";
import type { RunHeader } from "../frames/protocol.ts";
import { BUSY_AFTER, type Requests } from "../frames/requests.ts";
import { SETTINGS, type ViewState } from "../frames/view-state.ts";
import type {
  MediaEntry,
  MediaModule,
  MediaPanelHandle,
  MediaScene,
  PanelShell,
  RunLook,
} from "../media/media-types.ts";
import { splitMetric } from "../metrics.ts";
import { styleRuns } from "../plot/palette.ts";
import type { DrawSettings } from "../plot/plot.ts";
import { h } from "../ui/dom.ts";
import type { Enlargeable } from "../ui/fullscreen.ts";

const NEAR = "300px"; // panels are filled before they scroll into view
const WIDE: readonly string[] = [
  "image",
  "video",
  "table",
  "trace",
  "chart",
  "plotly",
  "echarts",
  "molecule",
  "object3d",
];

interface Panel extends PanelShell {
  entry: MediaEntry;
  near: boolean;
  fills: boolean;
  handle?: MediaPanelHandle;
  scene?: MediaScene;
}

type Look = Pick<MediaScene, "theme" | "textLook">;

interface PanelActions {
  showLarge(panel: Enlargeable, name: string): void;
  /** Mark a step in the charts; null removes the mark. */
  mark(step: number | null): void;
  onNew(panel: PanelShell): void;
}

const NEWEST = SETTINGS.media_step.default as number;
const KEEP_AFTER = 400; // ms for which a slider that is not left yet rests

let loaded: Promise<MediaModule> | undefined;

/** The panels of metrics with media. What fills them is loaded when one of them first comes near the window. */
export class MediaPanels {
  #panels = new Map<string, Panel>();
  #read: unknown;
  #entries: readonly MediaEntry[] = [];
  #names: string[] = [];
  #chosen: number | null = null; // also while the slider moves
  #kept: number | null = null;
  #pointed: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #model: HostModel;
  #state: ViewState;
  #requests: Requests;
  #actions: PanelActions;
  #signal: AbortSignal;
  #near: IntersectionObserver;

  constructor(
    model: HostModel,
    state: ViewState,
    requests: Requests,
    actions: PanelActions,
    signal: AbortSignal,
  ) {
    [this.#model, this.#state, this.#requests] = [model, state, requests];
    [this.#actions, this.#signal] = [actions, signal];
    this.#near = new IntersectionObserver(entries => this.#onNear(entries), { rootMargin: NEAR });
    signal.addEventListener("abort", () => {
      this.#near.disconnect();
      clearTimeout(this.#timer);
    });
  }

  /** Read the trait `media`; returns the names of the panels, none of which is that of a chart. */
  read(charts: { has(name: string): boolean }): string[] {
    const trait = this.#model.get("media");
    if (trait !== this.#read) {
      this.#read = trait;
      const { metrics = {} } = (trait ?? {}) as { metrics?: Record<string, Omit<MediaEntry, "metric">> };
      this.#entries = Object.entries(metrics).map(([metric, about]) => ({ metric, ...about }));
    }
    this.#names = this.#entries.map(entry => {
      const { metric, kind } = entry;
      const name = charts.has(metric) ? `${metric} (${kind})` : metric;
      const panel = this.#panels.get(name);
      if (panel) panel.entry = entry;
      else this.#panels.set(name, this.#newPanel(name, entry));
      return name;
    });
    return this.#names;
  }

  element(name: string): HTMLElement | null {
    return this.#names.includes(name) ? (this.#panels.get(name) as Panel).element : null;
  }

  /** Show the media of single runs, in the order of the legend, also where groups of runs are drawn. */
  show(runs: readonly RunHeader[], settings: DrawSettings, grouped: boolean, look: Look) {
    if (!this.#names.length) return;
    this.#readStep();
    const styles = grouped ? styleRuns(runs, look.theme) : settings.styles;
    const shown = runs.flatMap(({ id, key, faded }): RunLook[] => {
      const style = styles.get(key);
      if (!style || faded || settings.hidden.has(id)) return [];
      return [{ id, label: style.label, color: style.color }]; // nothing that changes at each refresh
    });
    const scene = { ...look, runs: shown };
    for (const name of this.#names) {
      const panel = this.#panels.get(name) as Panel;
      panel.scene = { ...scene, entry: panel.entry };
      if (panel.near) panel.handle?.update(panel.scene);
    }
  }

  /** Show the media of the step under the pointer in a chart; null shows those of the chosen step again. */
  point(step: number | null) {
    if (step === this.#pointed) return;
    this.#pointed = step;
    this.#follow();
  }

  /** Take up the step that was chosen before the page was loaded, in another view, or by the kernel. */
  #readStep() {
    const step = this.#state.get("media_step");
    const kept = step === NEWEST ? null : step;
    if (kept === this.#kept) return;
    this.#kept = kept;
    if (kept === this.#chosen) return;
    this.#chosen = kept;
    this.#follow();
  }

  #keepStep() {
    if (this.#chosen !== this.#kept) this.#state.set("media_step", this.#chosen ?? NEWEST);
  }

  #follow() {
    for (const { near, handle } of this.#panels.values()) if (near) handle?.follow();
  }

  #newPanel(name: string, entry: MediaEntry): Panel {
    const { short } = splitMetric(name);
    const attributes = { class: "tb-metric", role: "heading", "aria-level": "4", title: name };
    const title = h("div", { ...attributes, "data-prefix": name.slice(0, -short.length) }, short);
    const head = h("div", { class: "tb-chart-head" }, title);
    const plotElement = h("div", { class: "tb-plot" });
    const body = h("div", { class: "tb-chart-body" }, head, plotElement);
    const element = h("section", { class: "tb-chart tb-media", "data-metric": name }, body);
    if (WIDE.includes(entry.kind)) element.dataset.size = "2x2";
    const panel = { metric: name, entry, near: false, fills: false, title, head, plotElement, body, element };
    this.#near.observe(element);
    this.#actions.onNew(panel);
    return panel;
  }

  #onNear(entries: readonly IntersectionObserverEntry[]) {
    for (const { target, isIntersecting } of entries) {
      const panel = [...this.#panels.values()].find(({ element }) => element === target) as Panel;
      const came = isIntersecting && !panel.near;
      panel.near = isIntersecting;
      if (!came) continue;
      const { handle, scene } = panel;
      if (handle && scene) handle.update(scene);
      if (handle) handle.follow();
      else if (!panel.fills) void this.#fill(panel);
    }
  }

  async #fill(panel: Panel) {
    const say = (text: string) => {
      panel.plotElement.replaceChildren(h("div", { class: "tb-minor", role: "status" }, text));
    };
    if (!this.#requests.possible) return say("Shown where its kernel runs, and in exported pages.");
    panel.fills = true;
    try {
      loaded ??= this.#load(() => say("Waiting for the kernel…"));
      const { openPanel } = await loaded;
      if (this.#signal.aborted) return;
      panel.handle = openPanel(panel, {
        requests: this.#requests,
        step: () => this.#pointed ?? this.#chosen,
        point: (step, done) => {
          this.#chosen = step;
          this.#actions.mark(done ? null : step);
          this.#follow();
          clearTimeout(this.#timer);
          if (done) this.#keepStep();
          else this.#timer = setTimeout(() => this.#keepStep(), KEEP_AFTER);
        },
        showLarge: this.#actions.showLarge,
        createView: createUserView,
        signal: this.#signal,
      });
      if (panel.scene) panel.handle.update(panel.scene);
    } catch (error) {
      loaded = undefined; // the next panel that comes near tries again
      say((error as Error).message);
    } finally {
      panel.fills = false;
    }
  }

  async #load(onLate: () => void): Promise<MediaModule> {
    const file = "media.js";
    if (this.#model.importFile) return this.#model.importFile(file) as Promise<MediaModule>;
    const { content, buffers } = await this.#requests.ask("asset", { name: file }, onLate, BUSY_AFTER);
    return importOnce<MediaModule>(String(content.version), new TextDecoder().decode(buffers[0]));
  }
}
