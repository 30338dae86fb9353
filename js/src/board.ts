import type { Chart } from "./chart.ts";
import { Controls } from "./controls.ts";
import { h, setChildren } from "./dom.ts";
import { parseFilter } from "./filter.ts";
import { Groups } from "./groups.ts";
import type { Model } from "./hosts/model.ts";
import { Hover } from "./hover.ts";
import { Legend } from "./legend.ts";
import { currentRun, drawingOrder, styleRuns } from "./palette.ts";
import type { Picture } from "./picture.ts";
import type { Look, Range } from "./plot.ts";
import { DrawQueue } from "./queue.ts";
import type { Series } from "./series.ts";
import { storeOf } from "./store.ts";
import { adoptStyle } from "./style.ts";
import { detectTheme, watchTheme } from "./theme.ts";
import { TopLine } from "./topline.ts";
import { ViewState, type XAxis } from "./view-state.ts";
import { zoomByDrag } from "./zoom.ts";

const TICK = 1000; // ms; elapsed time is shown in seconds

interface Options {
  /** A saved page stands still: its clock is the frame's. */
  live: boolean;
  signal: AbortSignal;
}

/** One view of a board: the picture of its model, drawn into `el`. */
export class Board {
  readonly element = h("div", { class: "tb-board" });
  #store: ReturnType<typeof storeOf>;
  #state: ViewState;
  #options: Options;
  #head = h("div", { class: "tb-top", hidden: "" });
  #top = new TopLine();
  #controls: Controls;
  #legend: Legend;
  #groups: Groups;
  #notices = h("div", { class: "tb-notices", role: "status" });
  #empty = h("div", { class: "tb-empty" });
  #queue: DrawQueue;
  #hover: Hover;
  #seen: IntersectionObserver;
  #sized: ResizeObserver;
  #byPlot = new Map<Element, Chart>();
  #look: { key: string; value: Look } | null = null;
  #zoom: { range: Range; xAxis: XAxis } | null = null;

  constructor(el: HTMLElement, model: Model, options: Options) {
    const { signal } = options;
    this.#options = options;
    this.#store = storeOf(model);
    const update = () => this.#update();
    this.#state = new ViewState(model, update, signal);
    this.#controls = new Controls(this.#state, () => this.#zoomTo(null), signal);
    this.#legend = new Legend(this.#state, signal);
    this.#queue = new DrawQueue(signal);
    this.#groups = new Groups(this.#state, chart => this.#adopt(chart), signal);
    this.#hover = new Hover(this.element, () => this.#groups.charts(), signal);
    this.#seen = new IntersectionObserver(entries => this.#onSeen(entries), { rootMargin: "200px" });
    this.#sized = new ResizeObserver(entries => this.#onSized(entries));
    this.#head.append(this.#top.element, this.#controls.element);
    this.element.append(this.#head, this.#notices, this.#legend.element, this.#empty, this.#groups.element);
    el.append(this.element);
    adoptStyle(this.element, signal);
    this.#store.subscribe(update, signal);
    watchTheme(window, update, signal);
    const ticking = setInterval(() => this.#top.tick(), TICK);
    signal.addEventListener("abort", () => this.#destroy(ticking));
    this.#update();
  }

  #destroy(ticking: ReturnType<typeof setInterval>) {
    clearInterval(ticking);
    this.#seen.disconnect();
    this.#sized.disconnect();
    for (const chart of this.#groups.charts()) chart.destroy();
    this.element.remove();
  }

  #update() {
    try {
      this.#show(this.#store.picture);
    } catch (error) {
      console.error("Trackbook:", error);
      this.#showNotices([`The board could not be drawn: ${(error as Error).message}`], true);
    }
  }

  #show(picture: Picture | null) {
    const { problem } = this.#store;
    this.#showNotices([...(problem ? [problem.message] : []), ...(picture?.notices ?? [])], Boolean(problem));
    this.element.dataset.project = picture?.project ?? "";
    this.element.dataset.session = picture?.session ?? "";
    this.element.dataset.theme = detectTheme(window);
    this.element.dataset.seq = String(picture?.seq ?? "");
    const filter = parseFilter(this.#state.get("metric_filter"));
    const metrics = (picture?.metrics ?? []).filter(metric => filter.matches(metric));
    this.#showEmpty(picture, metrics.length);
    if (this.#zoom?.xAxis !== this.#state.get("x_axis")) this.#zoom = null;
    this.#controls.update(this.#zoom !== null);
    this.#controls.element.hidden = !picture?.metrics.length;
    this.#head.hidden = !picture;
    if (!picture) return;
    const look = this.#lookOf(picture);
    this.#showRuns(picture, look);
    this.#groups.update(metrics);
    this.#showCharts(picture, look);
  }

  #showRuns({ runs, project, now }: Picture, { styles }: Look) {
    const current = currentRun(runs);
    const clock = () => (this.#options.live ? Date.now() / 1000 + this.#store.skew : now);
    this.#top.update(project, current && styles.get(current.key), runs.length === 1, clock);
    const shown = drawingOrder(runs).sort((a, b) => Number(a.faded) - Number(b.faded) || a.key - b.key);
    this.#legend.update(shown.flatMap(run => styles.get(run.key) ?? []));
  }

  #showCharts({ metrics, series }: Picture, look: Look) {
    const byMetric = new Map<string, Series[]>(metrics.map(metric => [metric, []]));
    for (const each of series) byMetric.get(metrics[each.metric])?.push(each);
    const { theme } = this.element.dataset as { theme: "light" | "dark" };
    for (const chart of this.#groups.charts()) {
      const scene = {
        series: byMetric.get(chart.metric) ?? [],
        look,
        theme,
        zoom: this.#zoom?.range ?? null,
      };
      if (chart.update(scene)) this.#request(chart);
    }
  }

  /** The same object as long as it says the same, so that charts see at a glance that nothing changed. */
  #lookOf({ runs }: Picture): Look {
    const theme = this.element.dataset.theme as "light" | "dark";
    const hidden = this.#state.get("hidden_runs");
    const [xAxis, smoothing] = [this.#state.get("x_axis"), this.#state.get("smoothing")];
    const known = runs.map(({ key, id, name, state, started, faded }) => [
      key,
      id,
      name,
      state,
      started,
      faded,
    ]);
    const key = JSON.stringify([theme, hidden, xAxis, smoothing, known]);
    if (this.#look?.key !== key) {
      this.#look = {
        key,
        value: { styles: styleRuns(runs, theme), hidden: new Set(hidden), xAxis, smoothing },
      };
    }
    return this.#look.value;
  }

  #showEmpty(picture: Picture | null, shown: number) {
    const text = picture?.metrics.length
      ? `No metric matches “${this.#state.get("metric_filter")}”.`
      : "Charts appear here with the first tb.log({…}).";
    this.#empty.hidden = shown > 0 || this.#store.problem !== null;
    this.#empty.textContent = text;
  }

  #showNotices(texts: readonly string[], alert: boolean) {
    const notices = texts.map(text =>
      h("div", { class: "tb-notice", ...(alert ? { role: "alert" } : {}) }, text),
    );
    const changed =
      notices.map(n => n.textContent).join("\0") !==
      [...this.#notices.children].map(n => n.textContent).join("\0");
    if (changed) setChildren(this.#notices, notices);
  }

  #adopt(chart: Chart) {
    this.#byPlot.set(chart.plotElement, chart);
    this.#seen.observe(chart.plotElement);
    this.#sized.observe(chart.plotElement);
    this.#hover.watch(chart);
    zoomByDrag(chart, range => this.#zoomTo(range), this.#options.signal);
  }

  #onSeen(entries: readonly IntersectionObserverEntry[]) {
    for (const { target, isIntersecting } of entries) {
      const chart = this.#byPlot.get(target) as Chart;
      chart.visible = isIntersecting;
      if (isIntersecting) this.#request(chart);
      else this.#queue.delete(chart);
    }
  }

  #onSized(entries: readonly ResizeObserverEntry[]) {
    for (const { target } of entries) this.#request(this.#byPlot.get(target));
  }

  #request(chart: Chart | undefined) {
    if (chart?.visible && chart.stale) this.#queue.add(chart);
  }

  #zoomTo(range: Range | null) {
    this.#zoom = range && { range, xAxis: this.#state.get("x_axis") };
    this.#update();
  }
}
