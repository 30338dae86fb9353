import { Chart } from "../charts/chart.ts";
import { DrawScheduler } from "../charts/draw-scheduler.ts";
import { UserCharts } from "../charts/user-chart.ts";
import { configsOf } from "../charts/user-spec.ts";
import { executionAt } from "../frames/cell-spans.ts";
import { Heartbeat } from "../frames/heartbeat.ts";
import { type HostModel, onTraitChange } from "../frames/host-model.ts";
import type { Picture } from "../frames/picture.ts";
import { type PictureStore, storeOf } from "../frames/picture-store.ts";
import type { RunHeader } from "../frames/protocol.ts";
import { Requests } from "../frames/requests.ts";
import { decodeRunsTable } from "../frames/runs-table.ts";
import type { Series } from "../frames/series.ts";
import { ViewState } from "../frames/view-state.ts";
import { ChartMenu } from "../interact/chart-menu.ts";
import { ExactCounts } from "../interact/exact-counts.ts";
import { Hover } from "../interact/hover.ts";
import { detailNeed, ZoomDetail } from "../interact/zoom-detail.ts";
import { addZoomGestures } from "../interact/zoom-gestures.ts";
import { ZoomState } from "../interact/zoom-state.ts";
import { isSystem, logged, ownEntry } from "../metrics.ts";
import { combineMetrics, otherSplits } from "../plot/combined.ts";
import { currentRun } from "../plot/palette.ts";
import { type ChartAxes, type DrawSettings, xExtentOfAll, type Zoom } from "../plot/plot.ts";
import type { RunStyle } from "../plot/plot-rows.ts";
import { axesOnly, axisDefinitions, xAxisOf } from "../plot/x-axis.ts";
import { copyWholeNames } from "../ui/cut-name.ts";
import { h, onResize, setText } from "../ui/dom.ts";
import { parseFilter } from "../ui/filter.ts";
import { FullScreen } from "../ui/fullscreen.ts";
import { watchPrint } from "../ui/print.ts";
import { adoptStyle } from "../ui/style.ts";
import { detectTheme, type TextLook, type Theme, textLookOf, watchTheme } from "../ui/theme.ts";
import { Alerts } from "./alerts.ts";
import { Arrangement } from "./arrangement.ts";
import { addResize, ChartDrag } from "./chart-drag.ts";
import { ChartGroups } from "./chart-groups.ts";
import { ChartSettings } from "./chart-settings.ts";
import { Controls } from "./controls.ts";
import { Header, type KernelState } from "./header.ts";
import { Legend } from "./legend.ts";
import { legendValues } from "./legend-values.ts";
import { MediaPanels } from "./media-panels.ts";
import { RunChanges } from "./run-changes.ts";
import { idleSince, isWrittenHere, unseen } from "./run-signs.ts";
import { type DrawnPicture, Sidebar } from "./sidebar.ts";
import { StopButton } from "./stop-button.ts";
import { STYLES } from "./styles.ts";
import { isRunning, NO_CHARTS_YET, whyEmpty } from "./why-empty.ts";

const AXIS_NAMES: Record<string, string> = { step: "step", relative: "relative time", time: "clock time" };
const TICK = 1000; // ms; elapsed time is shown in seconds

interface Options {
  /** False in a saved page, whose clock is that of the frame. */
  live: boolean;
  signal: AbortSignal;
  /** The zoom of the charts, for a host that sets or follows it. */
  zoom?: ZoomState;
}

/** One view of a board: draws the picture of its model into `el`. */
export class Board {
  readonly element = h("div", { class: "tb-board" });
  #model: HostModel;
  #store: PictureStore;
  #state: ViewState;
  #heartbeat: Heartbeat;
  #options: Options;
  #head = h("div", { class: "tb-top", hidden: "" });
  #header: Header;
  #stop: StopButton;
  #controls: Controls;
  #sidebar: Sidebar;
  #legend: Legend;
  #groups: ChartGroups;
  #arrangement: Arrangement;
  #drag: ChartDrag;
  #notices = h("div", { class: "tb-notices", role: "status" });
  #empty = h("div", { class: "tb-empty" });
  #scheduler: DrawScheduler;
  #userCharts: UserCharts;
  #media: MediaPanels;
  #hover: Hover;
  #settings: ChartSettings;
  #fullScreen: FullScreen;
  #menu: ChartMenu;
  #requests: Requests;
  #changes: RunChanges;
  #counts: ExactCounts;
  #zoom: ZoomState;
  #detail: ZoomDetail;
  #printing = false;
  #textLook: TextLook | null = null;
  #names: readonly string[] = []; // of all charts, whatever the filter
  #members: ReadonlyMap<string, readonly string[]> = new Map(); // the metrics of combined charts

  constructor(el: HTMLElement, model: HostModel, options: Options) {
    const { signal } = options;
    this.#options = options;
    this.#zoom = options.zoom ?? new ZoomState();
    this.#model = model;
    this.#store = storeOf(model);
    const update = () => this.#update();
    this.#state = new ViewState(model, update, signal);
    this.#heartbeat = new Heartbeat(options.live ? model : null, update, signal);
    const jump = { names: () => this.#names, jump: (name: string) => this.#jumpTo(name) };
    this.#controls = new Controls(this.#state, () => this.#unzoom(), jump, signal);
    this.#sidebar = new Sidebar(this.#state, model, update, signal);
    this.#legend = new Legend(this.#state, signal);
    this.#settings = new ChartSettings(this.#state, this.#sidebar);
    this.#scheduler = new DrawScheduler(
      chart => chart instanceof Chart && this.#requestDetail(chart),
      signal,
    );
    this.#userCharts = new UserCharts(this.#scheduler, chart => this.#menu.attachUserChart(chart));
    this.#fullScreen = new FullScreen(signal);
    const requests = new Requests(model, signal);
    this.#requests = requests;
    this.#counts = new ExactCounts(() => (this.#sidebar.isGrouping ? null : requests), signal);
    this.#stop = new StopButton(requests, signal);
    this.#header = new Header(this.#stop.element);
    this.#detail = new ZoomDetail(requests, update, signal);
    this.#groups = new ChartGroups(this.#state, chart => this.#addChart(chart), signal);
    this.#arrangement = new Arrangement(this.#state, this.#groups, () => this.#members);
    const combines = (one: string, other: string) => this.#isOwn(one) && this.#isOwn(other);
    const drop = { combines, drop: this.#arrangement.drop.bind(this.#arrangement) };
    this.#drag = new ChartDrag(this.element, drop, signal);
    this.#menu = new ChartMenu(this.#actions(), signal);
    this.#hover = new Hover(
      this.element,
      () => this.#groups.charts(),
      (run, time) => executionAt(model.get("cells"), run, time),
      signal,
    );
    const panels = {
      showLarge: this.#fullScreen.toggle.bind(this.#fullScreen),
      mark: (step: number | null) => this.#hover.mark(step),
      onNew: this.#makeMovable.bind(this),
    };
    this.#media = new MediaPanels(model, this.#state, requests, panels, signal);
    this.#hover.onStep = step => this.#media.point(step);
    const alerts = new Alerts(model, options.live, this.#store, signal);
    const { unzoom, element: controls } = this.#controls;
    this.#head.append(this.#header.element, unzoom, alerts.element, this.#sidebar.button, controls);
    onResize(this.#head, () => this.#controls.fold(), signal);
    const parts = [this.#legend.element, this.#empty, this.#groups.element];
    const main = h("div", { class: "tb-main" }, ...parts);
    const body = h("div", { class: "tb-body" }, this.#sidebar.element, main);
    this.#changes = new RunChanges(requests, signal);
    this.element.append(this.#head, this.#notices, this.#changes.element, body, this.#fullScreen.element);
    // A notebook in command mode handles keys itself: arrows select a cell, "a" inserts one, "dd" deletes one.
    this.element.dataset.lmSuppressShortcuts = "true"; // JupyterLab, Notebook
    this.element.addEventListener("keydown", event => event.stopPropagation(), { signal });
    el.append(this.element);
    copyWholeNames(this.element, signal);
    adoptStyle(this.element, STYLES, signal, update);
    this.#store.subscribe(update, signal);
    onTraitChange(model, ["user_charts", "media", "open_runs", "idle_since", "synced"], update, signal);
    watchTheme(window, update, signal);
    watchPrint(window, printing => this.#print(printing), signal);
    const ticking = setInterval(() => this.#tick(), TICK);
    signal.addEventListener("abort", () => {
      clearInterval(ticking);
      this.element.remove();
    });
    this.#update();
  }

  #tick() {
    this.#header.tick();
    this.#heartbeat.check(this.#store.picture !== null && isRunning(this.#store.picture));
  }

  #print(printing: boolean) {
    this.#printing = printing;
    this.#update();
    if (printing) this.#scheduler.drawAll();
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
    const lost = picture && isRunning(picture) ? this.#heartbeat.notice(picture.project) : undefined;
    const problems = [problem?.message, lost].filter(text => text !== undefined);
    this.#showNotices([...problems, ...(picture?.notices ?? [])], Boolean(problem));
    this.element.dataset.project = picture?.project ?? "";
    this.element.dataset.session = picture?.session ?? "";
    this.element.dataset.theme = this.#printing ? "light" : detectTheme(window); // paper is white
    this.element.dataset.seq = String(picture?.seq ?? "");
    const filter = parseFilter(this.#state.get("metric_filter"));
    const names = new Set([
      ...(picture?.metrics ?? []),
      ...this.#userCharts.read(this.#model.get("user_charts")),
    ]);
    const only = this.#state.get("shown_metrics");
    const isChosen = this.#state.get("metric_filter") !== "" || only.length > 0;
    const axes = isChosen || !picture ? new Set<string>() : axesOnly(picture);
    const combined = combineMetrics(
      [...names].filter(name => !axes.has(name)),
      this.#state.get("combined"),
      this.#state.get("combine_splits"),
    );
    this.#names = [...combined.names, ...this.#media.read(names)];
    this.#members = combined.members;
    const isShown = (name: string) => filter.matches(name) && (!only.length || only.includes(name));
    const metrics = this.#names.filter(name => [name, ...(this.#members.get(name) ?? [])].some(isShown));
    this.#controls.update(this.#zoom.isZoomed, logged(picture?.metrics ?? []));
    this.#controls.element.hidden = !picture?.metrics.length;
    this.#head.hidden = !picture;
    if (!picture) return this.#showEmpty(NO_CHARTS_YET);
    this.#detail.setSession(picture.session);
    const clock = () => (this.#ticks ? Date.now() / 1000 + this.#store.skew : picture.now);
    this.#sidebar.read(picture, clock());
    const drawn = this.#sidebar.drawn(picture);
    this.#textLook = textLookOf(this.element, this.#textLook);
    const settings = this.#settings.ofAll(drawn, this.#theme, this.#isStrong);
    this.#showRuns(picture, drawn, settings, clock);
    this.#showEmpty(whyEmpty(drawn, metrics, settings, this.#state));
    this.#groups.element.hidden = !this.#empty.hidden && !metrics.some(isSystem);
    this.#groups.update(metrics, name => this.#userCharts.element(name) ?? this.#media.element(name));
    this.#showCharts(drawn, settings);
    this.#media.show(picture.runs, settings, Boolean(drawn.members), {
      theme: this.#theme,
      textLook: this.#textLook as TextLook,
    });
  }

  /** Whether the page or the system asks for high contrast. */
  get #isStrong(): boolean {
    return Boolean(this.#textLook?.frame);
  }

  get #theme(): Theme {
    return this.element.dataset.theme as Theme;
  }

  get #ticks(): boolean {
    return this.#options.live && this.#heartbeat.state === "heard";
  }

  #showRuns(picture: Picture, drawn: DrawnPicture, { styles }: DrawSettings, clock: () => number) {
    const { runs, project, now } = picture;
    // a cached style may hold an outdated run header
    const styled = (run: RunHeader): RunStyle[] => {
      const style = styles.get(run.key);
      return style ? [{ ...style, run }] : [];
    };
    const styleOf = this.#sidebar.update(picture, drawn, this.#theme, clock(), this.#isStrong);
    const about = currentRun(runs);
    const current = styleOf(about?.id ?? "");
    this.#stop.update(about && this.#ticks && isWrittenHere(this.#model, about) ? about : null);
    this.#changes.update(about ?? null, this.#state.get("baseline"));
    const gone = this.#heartbeat.words || (about ? unseen(this.#model, about, clock()) : "");
    const synced = (this.#model.get("synced") as KernelState["synced"] | undefined) ?? null;
    const kernel = { idleSince: about ? idleSince(this.#model, about) : null, gone, synced };
    this.#header.update(project, current ?? undefined, runs.length === 1, clock, kernel);
    const shown = [...drawn.runs].sort((a, b) => Number(a.faded) - Number(b.faded)); // within both groups, by key
    const { key } = this.#sidebar.colors(this.#theme, now);
    this.#legend.update(
      shown.flatMap(styled),
      drawn.members,
      key,
      legendValues(drawn, this.#state.get("baseline")),
      this.#sidebar.filteredOut,
    );
  }

  #showCharts(drawn: DrawnPicture, settings: DrawSettings) {
    const { metrics, series, members } = drawn;
    const byMetric = new Map<string, Series[]>(metrics.map(metric => [metric, []]));
    for (const each of series) byMetric.get(metrics[each.metric])?.push(each);
    const theme = this.#theme;
    const textLook = this.#textLook as TextLook;
    const linked = this.#state.get("link_x");
    const defined = axisDefinitions(drawn);
    const axesOf = (metric: string): ChartAxes => {
      const x = xAxisOf(metric, this.#state.get("x_axis"), defined);
      return { x, log: this.#settings.logAxes(metric), xSeries: byMetric.get(x) ?? [] };
    };
    for (const chart of this.#groups.charts()) {
      const metrics = this.#members.get(chart.metric) ?? [chart.metric];
      const xs = new Set(metrics.map(metric => axesOf(metric).x));
      const axesOfChart = (): ChartAxes => {
        if (xs.size === 1) return { ...axesOf(metrics[0]), log: this.#settings.logAxes(chart.metric) };
        return { x: "step", log: this.#settings.logAxes(chart.metric), xSeries: [] };
      };
      const axes = axesOfChart();
      const bare = metrics.map(metric => {
        const fine = members ? [] : this.#detail.fine(metric);
        return { series: byMetric.get(metric) ?? [], fine, settings, axes };
      });
      const zoom = this.#zoom.of(chart.metric, axes.x, linked, () => xExtentOfAll(bare));
      const parts = metrics.map((metric, i) => ({ metric, content: { ...bare[i], zoom } }));
      const remark = metrics.some(metric => this.#detail.isLate(metric)) ? "detail when the cell ends" : "";
      const axisName = axes.x === this.#state.get("x_axis") ? "" : (ownEntry(AXIS_NAMES, axes.x) ?? axes.x);
      const options = this.#settings.of(chart.metric, metrics, drawn);
      if (chart.update({ parts, options, theme, textLook, remark, axisName })) this.#scheduler.request(chart);
      this.#requestDetail(chart);
    }
    const partOf = (metric: string) => ({
      metric,
      series: byMetric.get(metric) ?? [],
      axes: axesOf(metric),
    });
    const configs = configsOf(decodeRunsTable(this.#model.get("table")));
    this.#userCharts.show(metrics, partOf, settings, { theme, textLook }, configs);
  }

  /** Request finer data for a chart. */
  #requestDetail(chart: Chart) {
    const grouped = this.#sidebar.isGrouping; // the kernel knows only single runs
    if (!chart.visible || !chart.scene || grouped) return;
    for (const { metric, content } of chart.scene.parts)
      this.#detail.request(metric, detailNeed(content, chart.columns));
  }

  #showEmpty(text: string) {
    this.#empty.hidden = !text || this.#store.problem !== null;
    setText(this.#empty, text);
  }

  #showNotices(texts: readonly string[], alert: boolean) {
    const shown = [...this.#notices.children].map(notice => notice.textContent);
    if (JSON.stringify(shown) === JSON.stringify(texts)) return; // otherwise a screen reader would read all of them again
    const role = alert ? "alert" : "note";
    this.#notices.replaceChildren(...texts.map(text => h("div", { class: "tb-notice", role }, text)));
  }

  #addChart(chart: Chart) {
    this.#scheduler.add(chart);
    this.#hover.watch(chart);
    this.#menu.attach(chart);
    this.#makeMovable(chart);
    this.#counts.watch(chart);
    addZoomGestures(chart, zoom => this.#zoomTo(chart, zoom), this.#options.signal);
  }

  #makeMovable({ title, element, metric }: Pick<Chart, "title" | "element" | "metric">) {
    this.#drag.attach(title, metric);
    const resize = (width: number, height: number) => this.#arrangement.resize(metric, width, height);
    addResize(element, metric, resize, this.#options.signal);
  }

  /** Whether this is the chart of a metric or of several, and neither a user's nor one of media. */
  #isOwn(name: string): boolean {
    return !this.#userCharts.element(name) && !this.#media.element(name);
  }

  #jumpTo(name: string) {
    this.#state.set("metric_filter", "");
    this.#groups.jumpTo(name);
  }

  #zoomTo(chart: Chart, zoom: Zoom | null) {
    const axis = chart.scene?.axes.x ?? this.#state.get("x_axis");
    this.#zoom.set(chart.metric, axis, this.#state.get("link_x"), zoom ?? { x: null, y: null });
    this.#update();
  }

  #unzoom() {
    this.#zoom.reset();
    this.#update();
  }

  /** Return the charts that are offered to be drawn in a chart too: of the other splits of its metrics. */
  #combinableWith({ metric }: Chart): string[] {
    const own = this.#members.get(metric) ?? [metric];
    return [...new Set(own.flatMap(each => otherSplits(each, this.#names)))];
  }

  #actions() {
    const settings = this.#settings;
    return {
      project: () => this.#store.picture?.project ?? "",
      arrangement: this.#arrangement,
      others: (chart: Chart) => this.#combinableWith(chart),
      isCombined: ({ metric }: Chart) => this.#members.has(metric),
      showLarge: this.#fullScreen.toggle.bind(this.#fullScreen),
      resetZoom: (chart: Chart) => this.#zoomTo(chart, null),
      requests: () => (this.#sidebar.isGrouping ? null : this.#requests),
      isLog: ({ metric }: Chart) => this.#settings.logAxes(metric).y,
      pictureSize: () => this.#state.get("picture_size"),
      isLogEverywhere: () => settings.isLogEverywhere,
      setLog: ({ metric }: Chart, log: boolean) => settings.setLog(metric, log),
      setLogEverywhere: (log: boolean) => settings.setLogEverywhere(log),
      setRange: ({ metric }: Chart, range: readonly (number | null)[]) => settings.setRange(metric, range),
      setLines: ({ metric }: Chart, values: readonly number[]) => settings.setLines(metric, values),
    };
  }
}
