import { decodeSeries } from "../frames/decode-series.ts";
import { copyBytes, type SeriesHeader } from "../frames/protocol.ts";
import { type Answer, NoAnswer, type Requests } from "../frames/requests.ts";
import type { Series } from "../frames/series.ts";
import { type ChartContent, stepsInView } from "../plot/plot.ts";
import { endPoint, type Range, rowsInWindow } from "../plot/series-window.ts";

const QUESTION_INTERVAL = 120; // ms between two questions
const REPEAT_AFTER = 1000; // ms until a question is repeated because the range has new data
const ANSWER_TIMEOUT = 30_000; // ms; a restarted kernel never answers
const WIDEST_REUSE = 2.5; // an answer for a range up to this many times wider is fine enough
const ENOUGH_BUCKETS = 0.75; // an answer with this share of the wanted buckets is fine enough

/** Finer data that a chart needs. */
export interface DetailNeed {
  series: readonly (readonly [run: number, metric: number])[];
  /** Range of steps; null is everything. */
  steps: Range | null;
  buckets: number;
  /** The last step with data in the range; it grows with the run. */
  reach: number;
}

/** Return the finer data needed for a chart `columns` pixels wide; null if the picture is fine enough. */
export function detailNeed(content: ChartContent, columns: number): DetailNeed | null {
  const { settings, zoom, axes, series } = content;
  const shown = series.filter(({ run }) => {
    const style = settings.styles.get(run);
    return style && !settings.hidden.has(style.run.id);
  });
  const steps = zoom.x && (axes.x === "step" ? wholeSteps(zoom.x) : stepsInView(withFineSeries(content)));
  if (zoom.x && !steps) return null;
  const byStep = ({ step }: { step: number }) => step;
  const coarse = shown.filter(
    each => each.kind === "buckets" && rowsInWindow(each, steps, byStep).rows < columns * ENOUGH_BUCKETS,
  );
  if (!coarse.length) return null;
  const ends = coarse.map(each => endPoint(each, each.rows - 1, "last").step);
  return {
    series: coarse.map(({ run, metric }) => [run, metric] as const),
    steps,
    buckets: columns,
    reach: Math.min(Math.max(...ends), steps?.[1] ?? Number.POSITIVE_INFINITY),
  };
}

function wholeSteps([from, to]: Range): Range {
  return [Math.floor(from), Math.ceil(to)];
}

/** Use the finer series where there are any: if x is not the step, they give a more exact range of steps. */
function withFineSeries(content: ChartContent): ChartContent {
  const finer = new Map(content.fine.map(series => [series.run, series]));
  return { ...content, series: content.series.map(each => finer.get(each.run) ?? each) };
}

interface AskedDetail extends DetailNeed {
  at: number;
}

interface ChartDetail {
  need: DetailNeed | null;
  waiting: AskedDetail | null;
  answered: AskedDetail | null;
  fine: readonly Series[];
  isLate: boolean;
}

const NO_SERIES: readonly Series[] = [];

/** Requests finer data for zoomed charts, at a limited rate, and keeps the answers. */
export class ZoomDetail {
  #requests: Requests;
  #onChange: () => void;
  #charts = new Map<string, ChartDetail>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = Number.NEGATIVE_INFINITY;
  #session = "";

  constructor(requests: Requests, onChange: () => void, signal: AbortSignal) {
    [this.#requests, this.#onChange] = [requests, onChange];
    signal.addEventListener("abort", () => this.#forget());
  }

  /** Forget the answers when the session changes. */
  setSession(session: string) {
    if (session !== this.#session) this.#forget();
    this.#session = session;
  }

  fine(metric: string): readonly Series[] {
    return this.#charts.get(metric)?.fine ?? NO_SERIES;
  }

  /** Whether the kernel was asked and has not answered yet. */
  isLate(metric: string): boolean {
    return this.#charts.get(metric)?.isLate ?? false;
  }

  request(metric: string, need: DetailNeed | null) {
    if (!this.#requests.possible) return;
    const known = this.#charts.get(metric);
    if (!known && !need) return;
    const chart = known ?? { need, waiting: null, answered: null, fine: NO_SERIES, isLate: false };
    this.#charts.set(metric, chart);
    chart.need = need;
    if (!need) [chart.answered, chart.fine, chart.isLate] = [null, NO_SERIES, false];
    else this.#later(0);
  }

  #later(delay: number) {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#askOne();
    }, delay);
  }

  #askOne() {
    const now = performance.now();
    const due = [...this.#charts].map(([metric, chart]) => ({ metric, chart, at: dueAt(chart, now) }));
    due.sort((a, b) => a.at - b.at);
    const [first] = due;
    if (!first || first.at === Number.POSITIVE_INFINITY) return;
    const wait = Math.max(first.at, this.#last + QUESTION_INTERVAL) - now;
    if (wait > 0) return this.#later(wait);
    this.#last = now;
    void this.#ask(first.metric, first.chart);
    this.#later(QUESTION_INTERVAL);
  }

  async #ask(metric: string, chart: ChartDetail) {
    const need = chart.need as DetailNeed;
    const asked: AskedDetail = { ...need, at: performance.now() };
    chart.waiting = asked;
    const [from, to] = need.steps ?? [null, null];
    try {
      const fields = { series: need.series, from, to, buckets: need.buckets };
      const fine = decodeAnswer(
        await this.#requests.ask("detail", fields, () => this.#setLate(chart, asked)),
      );
      if (this.#charts.get(metric) !== chart || chart.waiting !== asked) return;
      if (chart.need) chart.fine = fine;
    } catch (error) {
      if (!(error instanceof NoAnswer)) console.error("Trackbook:", error);
    } finally {
      if (chart.waiting === asked) {
        [chart.waiting, chart.answered, chart.isLate] = [null, asked, false];
        this.#onChange();
        this.#later(0);
      }
    }
  }

  #setLate(chart: ChartDetail, asked: AskedDetail) {
    if (chart.waiting !== asked || !chart.need) return;
    chart.isLate = true;
    this.#onChange();
  }

  #forget() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#charts.clear();
  }
}

/** Return when to ask for a chart; infinity if it has its data, or waits for them. */
function dueAt({ need, waiting, answered }: ChartDetail, now: number): number {
  if (!need || (waiting && now - waiting.at < ANSWER_TIMEOUT)) return Number.POSITIVE_INFINITY;
  if (!answered || !covers(answered, need)) return 0;
  return need.reach > answered.reach ? answered.at + REPEAT_AFTER : Number.POSITIVE_INFINITY;
}

function covers(answered: AskedDetail, need: DetailNeed): boolean {
  const [from, to] = answered.steps ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const [first, last] = need.steps ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const asked = new Set(answered.series.map(String));
  return (
    from <= first &&
    to >= last &&
    (need.steps === null || to - from <= WIDEST_REUSE * (last - first)) &&
    answered.buckets >= ENOUGH_BUCKETS * need.buckets &&
    need.series.every(one => asked.has(String(one)))
  );
}

function decodeAnswer({ content, buffers }: Answer): readonly Series[] {
  const headers = (content.series ?? []) as SeriesHeader[];
  return decodeSeries(headers, copyBytes(buffers[0])).filter(({ rows }) => rows > 0);
}
