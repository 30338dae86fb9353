import { sameItems } from "../frames/columns.ts";
import { h, setText } from "../ui/dom.ts";
import { formatCount } from "../ui/format.ts";
import { ChartView } from "./chart-view.ts";
import { Gallery } from "./gallery.ts";
import { HistogramView } from "./histogram-view.ts";
import { Lightbox, type OpenItem } from "./lightbox.ts";
import { adoptMediaStyle, iconButton, olderSteps } from "./media-dom.ts";
import { type MediaStore, mediaStoreOf } from "./media-store.ts";
import type {
  MediaContext,
  MediaItem,
  MediaPanelHandle,
  MediaScene,
  PanelShell,
  RunLook,
} from "./media-types.ts";
import { OverlayMenu } from "./overlay-menu.ts";
import { hasOverlays, OverlaySettings } from "./overlays.ts";
import { StackView } from "./stack-view.ts";
import { placeOfStep, StepSlider } from "./step-slider.ts";

const MOST_RUNS = 40; // shown at once, the newest
const PAUSE = 400; // ms between two questions for new media of a run that logs
const HEAT_STEPS = 120;
const CANVAS_KINDS = ["image", "video"];

/** The media of one metric: those of a step, or of all steps, of all visible runs. */
export class MediaPanel implements MediaPanelHandle {
  #shell: PanelShell;
  #context: MediaContext;
  #store: MediaStore;
  #scene: MediaScene | null = null;
  #known: readonly unknown[] = []; // what the steps were asked for
  #steps: readonly number[] = [];
  #newestFirst: readonly number[] = [];
  #ownSteps: ReadonlyMap<string, readonly number[]> = new Map(); // of the runs that have media
  #leavesOut = false; // whether some steps or items are not shown
  #items: readonly MediaItem[] = [];
  #shownAt: readonly unknown[] = [];
  #showsAll = false;
  #asking = false;
  #again = false;
  #pinned: number | null = null; // the step of the item that is shown large, whatever comes meanwhile
  #timer: ReturnType<typeof setTimeout> | undefined;
  #overlays = new OverlaySettings();
  #gallery: Gallery;
  #stack: StackView;
  #histogram: HistogramView;
  #charts: ChartView;
  #lightbox: Lightbox;
  #slider: StepSlider;
  #overlayMenu: OverlayMenu;
  #note = h("div", { class: "tb-media-note", role: "status" });
  #place = h("div", { class: "tb-media-place" });
  #all = iconButton("grid", "All steps");
  #smaller = iconButton("smaller", "Smaller tiles");
  #larger = iconButton("larger", "Larger tiles");
  #large = iconButton("large", "Full screen");
  #runs = h("select", { class: "tb-select", "aria-label": "Run", hidden: "" });
  #count = h("span", { class: "tb-media-count tb-minor tb-number" });

  constructor(shell: PanelShell, context: MediaContext) {
    [this.#shell, this.#context] = [shell, context];
    const { signal } = context;
    const store = mediaStoreOf(context.requests);
    this.#store = store;
    this.#gallery = new Gallery(store, this.#overlays, item => this.#enlarge(item), signal);
    const open: OpenItem = (item, source) => this.#lightbox.open(item, source);
    this.#stack = new StackView(context, store, open, signal);
    this.#histogram = new HistogramView(context, signal);
    this.#charts = new ChartView(context, store, open, () => this.#showCount(), signal);
    this.#slider = new StepSlider((step, done) => context.point(step, done), signal);
    this.#overlayMenu = new OverlayMenu(this.#overlays, signal);
    const runs = () => this.#visibleRuns;
    this.#lightbox = new Lightbox(shell.metric, store, this.#overlays, runs, signal);
    this.#build(signal);
  }

  #build(signal: AbortSignal) {
    const on = (element: HTMLElement, event: string, act: () => void) =>
      element.addEventListener(event, act, { signal });
    on(this.#all, "click", () => {
      this.#showsAll = !this.#showsAll;
      this.#show();
    });
    on(this.#smaller, "click", () => this.#gallery.resize(1));
    on(this.#larger, "click", () => this.#gallery.resize(-1));
    on(this.#large, "click", () => this.#context.showLarge(this.#shell, this.#shell.metric));
    on(this.#runs, "change", () => this.#show());
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
    const { head, plotElement, body } = this.#shell;
    const tools = [this.#runs, this.#smaller, this.#larger, this.#overlayMenu.button, this.#all, this.#large];
    head.append(this.#count, h("div", { class: "tb-media-tools" }, ...tools));
    plotElement.replaceChildren(this.#place, this.#note, this.#slider.element);
    plotElement.classList.add("tb-media-plot");
    body.append(this.#overlayMenu.popover.panel, this.#lightbox.element);
    this.#large.classList.add("tb-media-enlarge");
    adoptMediaStyle(body);
  }

  update(scene: MediaScene) {
    const before = this.#scene;
    this.#scene = scene;
    const known = [scene.entry.count, ...this.#visibleRuns.map(({ id }) => id)];
    if (!sameItems(known, this.#known)) {
      this.#known = known;
      this.#refreshSoon(before ? PAUSE : 0);
    } else if (
      before &&
      (before.theme !== scene.theme ||
        before.textLook !== scene.textLook ||
        !sameLooks(before.runs, scene.runs))
    )
      this.#draw();
  }

  follow() {
    this.#show();
  }

  get #visibleRuns(): readonly RunLook[] {
    return (this.#scene?.runs ?? []).slice(-MOST_RUNS);
  }

  get #runsWithMedia(): readonly RunLook[] {
    return this.#visibleRuns.filter(({ id }) => this.#ownSteps.has(id));
  }

  #refreshSoon(pause: number) {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#refresh();
    }, pause);
  }

  /** Ask for the steps, then show those that are chosen. */
  async #refresh() {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    try {
      const scene = this.#scene as MediaScene;
      const { metric, count } = scene.entry;
      const ids = this.#visibleRuns.map(({ id }) => id);
      const { steps, thinned } = await this.#store.steps(metric, ids, count);
      this.#steps = [...new Set([...steps.values()].flat())].sort((a, b) => a - b);
      this.#newestFirst = [...this.#steps].reverse();
      this.#ownSteps = new Map([...steps].filter(([, own]) => own.length));
      this.#leavesOut = thinned;
      this.#show();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#asking = false;
      if (this.#again) {
        this.#again = false;
        void this.#refresh();
      }
    }
  }

  get #at(): number {
    const step = this.#pinned ?? this.#context.step();
    return step === null ? this.#steps.length - 1 : placeOfStep(this.#steps, step);
  }

  /** Show a tile's item large, and stay at its step until it is closed. */
  #enlarge(item: MediaItem) {
    const opened = this.#steps[this.#at];
    this.#pinned = opened;
    this.#lightbox.open(item, {
      step: by => this.#gallery.step(by),
      has: by => this.#gallery.has(by),
      steps: ({ run }) => this.#ownSteps.get(run) ?? [],
      turn: (from, step) => this.#turn(from, step),
      closed: () => {
        const step = this.#pinned;
        this.#pinned = null;
        if (step === opened || this.#showsAll) this.#show();
        else this.#context.point(step === this.#steps.at(-1) ? null : step, true);
        this.#gallery.focus();
      },
    });
  }

  async #turn({ run, item }: MediaItem, step: number): Promise<MediaItem | null> {
    this.#pinned = step;
    this.#show();
    const { metric, count } = (this.#scene as MediaScene).entry;
    const ids = this.#visibleRuns.map(({ id }) => id);
    const items = await this.#store.at(metric, ids, step, count);
    const own = items.filter(each => each.run === run);
    const found = own.find(each => each.item === item) ?? own.at(-1) ?? null;
    if (found && this.#pinned === step) this.#gallery.choose(found);
    return found;
  }

  #show() {
    if (!this.#scene) return;
    if (!this.#steps.length) return this.#say("No visible run has logged this.");
    const { entry } = this.#scene;
    const at = this.#at;
    this.#slider.update(this.#steps, at, this.#context.step() === null);
    const ids = this.#visibleRuns.map(({ id }) => id);
    const wanted = [entry.count, this.#steps[at], this.#showsAll && this.#runs.value, ...ids];
    if (sameItems(wanted, this.#shownAt)) return this.#draw();
    this.#shownAt = wanted;
    const isHeat = this.#showsAll && entry.kind === "histogram";
    const asked = isHeat
      ? this.#askForHeat(entry.metric)
      : this.#store.at(entry.metric, ids, this.#steps[at], entry.count);
    asked.then(
      items => {
        if (!sameItems(wanted, this.#shownAt)) return; // another step was chosen meanwhile
        this.#items = items;
        this.#draw();
      },
      error => {
        if (!sameItems(wanted, this.#shownAt)) return;
        this.#shownAt = [];
        this.#fail(error);
      },
    );
  }

  /** Ask for the histograms of one run over its steps. */
  async #askForHeat(metric: string): Promise<MediaItem[]> {
    const runs = this.#runsWithMedia;
    const chosen = runs.find(({ id }) => id === this.#runs.value) ?? runs.at(-1);
    return chosen ? this.#store.histograms(metric, chosen.id, HEAT_STEPS, this.#scene?.entry.count) : [];
  }

  #draw() {
    const scene = this.#scene as MediaScene;
    const items = this.#items;
    if (!items.length) return this.#say(this.#shownAt.length ? "Loading…" : "Nothing at this step.");
    const { kind } = scene.entry;
    const isGallery =
      items.every(each => CANVAS_KINDS.includes(each.kind)) &&
      (kind === "image" || items.length > 1 || this.#showsAll);
    const isHistogram = items.every(each => each.kind === "histogram");
    const documents = items.every(each => each.kind === "chart") ? this.#charts : this.#stack;
    const view = isGallery ? this.#gallery : isHistogram ? this.#histogram : documents;
    if (this.#place.firstElementChild !== view.element) this.#place.replaceChildren(view.element);
    this.#showTools(isGallery, isHistogram);
    setText(this.#note, "");
    if (isGallery) {
      for (const item of items) this.#overlays.learn(item);
      const { metric, count } = scene.entry;
      const runs = this.#runsWithMedia;
      const ids = runs.map(({ id }) => id);
      const load = async (steps: readonly number[]) => {
        const found = await this.#store.window(metric, ids, steps, count);
        this.#leavesOut ||= found.more;
        this.#showTools(true, false);
        return found.items;
      };
      this.#gallery.show({ runs, items, steps: this.#showsAll ? this.#newestFirst : null, load });
    } else if (isHistogram && this.#showsAll) this.#histogram.showAll(items, scene);
    else if (isHistogram) this.#histogram.showStep(items, scene);
    else documents.show(items, scene);
    this.#shell.element.dataset.drawn = String(items.length);
  }

  #showTools(isGallery: boolean, isHistogram: boolean) {
    const several = this.#steps.length > 1;
    this.#all.hidden = !several || !(isGallery || isHistogram);
    this.#all.setAttribute("aria-pressed", String(this.#showsAll));
    const isManyTiles = isGallery && (this.#items.length > 1 || this.#showsAll);
    this.#smaller.hidden = !isManyTiles;
    this.#larger.hidden = !isManyTiles;
    this.#overlayMenu.button.hidden = !isGallery || !this.#items.some(hasOverlays);
    this.#slider.element.hidden = !several || this.#showsAll;
    this.#showCount();
    this.#showRunChoice(isHistogram && this.#showsAll);
  }

  /** Say how much is shown; where runs lie over each other, also which of them show an older step. */
  #showCount() {
    const isHistogram = this.#place.firstElementChild === this.#histogram.element;
    const isOverlaid =
      isHistogram || (this.#charts.isOverlaid && this.#place.firstElementChild === this.#charts.element);
    const hidden = (this.#scene?.runs.length ?? 0) - this.#visibleRuns.length;
    const more = hidden > 0 ? ` · ${hidden} runs not shown` : "";
    const count = this.#items.length;
    const isHeat = isHistogram && this.#showsAll;
    const all = isHeat ? (this.#ownSteps.get(this.#items[0].run) ?? []).length : this.#steps.length;
    const shown = isHeat && count < all ? `${formatCount(count)} of ` : "";
    const leftOut = this.#leavesOut ? " · some left out" : "";
    const words = this.#showsAll
      ? `${shown}${formatCount(all)} steps${leftOut}`
      : (isOverlaid && olderSteps(this.#items, this.#visibleRuns)) ||
        (count > 1 ? `${formatCount(count)} items` : "");
    setText(this.#count, `${words}${more}`);
    this.#count.title = isOverlaid && !isHeat ? olderSteps(this.#items, this.#visibleRuns, true) : "";
  }

  #showRunChoice(shown: boolean) {
    const runs = this.#runsWithMedia;
    this.#runs.hidden = !shown || runs.length < 2;
    const key = JSON.stringify(runs.map(({ id, label }) => [id, label]));
    if (this.#runs.dataset.key === key) return;
    this.#runs.dataset.key = key;
    const before = this.#runs.value;
    this.#runs.replaceChildren(...runs.map(({ id, label }) => h("option", { value: id }, label)));
    this.#runs.value = runs.some(({ id }) => id === before) ? before : (runs.at(-1)?.id ?? "");
  }

  /** Say what went wrong; the next update asks again. */
  #fail(error: unknown) {
    this.#known = [];
    this.#say((error as Error).message);
  }

  /** Say why there is nothing to see. */
  #say(text: string) {
    this.#place.replaceChildren();
    setText(this.#note, text);
    this.#shell.element.dataset.drawn = "0";
  }
}

function sameLooks(a: readonly RunLook[], b: readonly RunLook[]): boolean {
  return sameItems(
    a.flatMap(({ label, color }) => [label, color]),
    b.flatMap(({ label, color }) => [label, color]),
  );
}
