import type { Chart } from "./chart.ts";
import { Controls } from "./controls.ts";
import { h } from "./dom.ts";
import { parseFilter } from "./filter.ts";
import { Groups } from "./groups.ts";
import type { Model } from "./hosts/model.ts";
import { Hover } from "./hover.ts";
import { Legend } from "./legend.ts";
import { currentRun, styleRuns } from "./palette.ts";
import { type Drawn, Side } from "./panel/side.ts";
import type { Picture } from "./picture.ts";
import type { Look, Range } from "./plot.ts";
import type { RunHeader } from "./protocol.ts";
import type { Styled } from "./rows.ts";
import type { Series } from "./series.ts";
import { Stage } from "./stage.ts";
import { type PictureStore, storeOf } from "./store.ts";
import { adoptStyle } from "./style.ts";
import { detectTheme, type Theme, watchTheme } from "./theme.ts";
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
  #store: PictureStore;
  #state: ViewState;
  #options: Options;
  #head = h("div", { class: "tb-top", hidden: "" });
  #top = new TopLine();
  #controls: Controls;
  #side: Side;
  #legend: Legend;
  #groups: Groups;
  #notices = h("div", { class: "tb-notices", role: "status" });
  #empty = h("div", { class: "tb-empty" });
  #stage: Stage;
  #hover: Hover;
  #look: { key: string; value: Look } | null = null;
  #zoom: { range: Range; xAxis: XAxis } | null = null;

  constructor(el: HTMLElement, model: Model, options: Options) {
    const { signal } = options;
    this.#options = options;
    this.#store = storeOf(model);
    const update = () => this.#update();
    this.#state = new ViewState(model, update, signal);
    this.#controls = new Controls(this.#state, () => this.#zoomTo(null), signal);
    this.#side = new Side(this.#state, model, update, signal);
    this.#legend = new Legend(this.#state, signal);
    this.#stage = new Stage(signal);
    this.#groups = new Groups(this.#state, chart => this.#adopt(chart), signal);
    this.#hover = new Hover(this.element, () => this.#groups.charts(), signal);
    this.#head.append(this.#top.element, this.#side.button, this.#controls.element);
    const main = h("div", { class: "tb-main" }, this.#legend.element, this.#empty, this.#groups.element);
    const body = h("div", { class: "tb-body" }, this.#side.element, main);
    this.element.append(this.#head, this.#notices, body);
    el.append(this.element);
    adoptStyle(this.element, signal);
    this.#store.subscribe(update, signal);
    watchTheme(window, update, signal);
    const ticking = setInterval(() => this.#top.tick(), TICK);
    signal.addEventListener("abort", () => {
      clearInterval(ticking);
      this.element.remove();
    });
    this.#update();
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
    const drawn = this.#side.drawn(picture);
    const look = this.#lookOf(drawn);
    this.#showRuns(picture, drawn, look);
    this.#groups.update(metrics);
    this.#showCharts(drawn, look);
  }

  #showRuns(picture: Picture, drawn: Drawn, { styles }: Look) {
    const { runs, project, now } = picture;
    // a style may be older than what its run has become since
    const styled = (run: RunHeader): Styled[] => {
      const style = styles.get(run.key);
      return style ? [{ ...style, run }] : [];
    };
    const clock = () => (this.#options.live ? Date.now() / 1000 + this.#store.skew : now);
    const styleOf = this.#side.update(picture, drawn, this.element.dataset.theme as Theme, clock());
    const current = styleOf(currentRun(runs)?.id ?? "");
    this.#top.update(project, current ?? undefined, runs.length === 1, clock);
    const shown = [...drawn.runs].sort((a, b) => Number(a.faded) - Number(b.faded)); // runs are sorted by key
    this.#legend.update(shown.flatMap(styled), drawn.members);
  }

  #showCharts({ metrics, series }: Picture, look: Look) {
    const byMetric = new Map<string, Series[]>(metrics.map(metric => [metric, []]));
    for (const each of series) byMetric.get(metrics[each.metric])?.push(each);
    const [theme, zoom] = [this.element.dataset.theme as Theme, this.#zoom?.range ?? null];
    for (const chart of this.#groups.charts()) {
      const scene = { series: byMetric.get(chart.metric) ?? [], look, theme, zoom };
      if (chart.update(scene)) this.#stage.request(chart);
    }
  }

  /** The same object as long as it says the same, so that charts see at a glance that nothing changed. */
  #lookOf(drawn: Drawn): Look {
    const { runs } = drawn;
    const theme = this.element.dataset.theme as Theme;
    const [hidden, colors] = [this.#side.hidden(drawn), this.#state.get("run_colors")];
    const [xAxis, smoothing] = [this.#state.get("x_axis"), this.#state.get("smoothing")];
    const known = runs.map(({ key, id, name, state, started, faded }) => [
      key,
      id,
      name,
      state,
      started,
      faded,
    ]);
    const key = JSON.stringify([theme, hidden, colors, xAxis, smoothing, known]);
    if (this.#look?.key !== key) {
      const value = { styles: styleRuns(runs, theme, colors), hidden: new Set(hidden), xAxis, smoothing };
      this.#look = { key, value };
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
    const shown = [...this.#notices.children].map(notice => notice.textContent);
    if (JSON.stringify(shown) === JSON.stringify(texts)) return; // else a screen reader would say them all again
    const role = alert ? "alert" : "note";
    this.#notices.replaceChildren(...texts.map(text => h("div", { class: "tb-notice", role }, text)));
  }

  #adopt(chart: Chart) {
    this.#stage.add(chart);
    this.#hover.watch(chart);
    zoomByDrag(chart, range => this.#zoomTo(range), this.#options.signal);
  }

  #zoomTo(range: Range | null) {
    this.#zoom = range && { range, xAxis: this.#state.get("x_axis") };
    this.#update();
  }
}
