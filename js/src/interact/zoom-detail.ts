import { decodeSeries } from "../frames/decode.ts";
import { decodeFrame, type FrameHeader, type SeriesHeader, VERSION } from "../frames/protocol.ts";
import { type Answer, LATE, NoAnswer, type Requests } from "../frames/requests.ts";
import type { Series } from "../frames/series.ts";
import { type Content, type Range, stepsOf } from "../plot/plot.ts";
import { cut, endOf } from "../plot/slices.ts";

const APART = 120; // ms between any two questions
const SAME_AGAIN = 1000; // ms until the same window is asked about again, because data have come
const FORGOTTEN = 30_000; // ms; a kernel that restarted never answers
const WIDER = 2.5; // an answer for a window so many times as wide is still fine enough
const FEWER = 0.75; // and so is one of this share of the buckets

/** What a chart would show if it had it. */
export interface Need {
  series: readonly (readonly [run: number, metric: number])[];
  /** Steps; null is open. */
  steps: Range | null;
  buckets: number;
  /** Grows with the data that the window shows. */
  reach: number;
}

/** What is to be asked for a chart that wide; null where the picture has all that can be seen. */
export function needOf(content: Content, columns: number): Need | null {
  const { look, zoom, axes, series } = content;
  const shown = series.filter(({ run }) => {
    const style = look.styles.get(run);
    return style && !look.hidden.has(style.run.id);
  });
  const steps = zoom.x && (axes.x === "step" ? whole(zoom.x) : stepsOf(refined(content)));
  if (zoom.x && !steps) return null;
  const byStep = ({ step }: { step: number }) => step;
  const coarse = shown.filter(
    each => each.kind === "buckets" && cut(each, steps, byStep).rows < columns * FEWER,
  );
  if (!coarse.length) return null;
  const ends = coarse.map(each => endOf(each, each.rows - 1, "last").step);
  return {
    series: coarse.map(({ run, metric }) => [run, metric] as const),
    steps,
    buckets: columns,
    reach: Math.min(Math.max(...ends), steps?.[1] ?? Number.POSITIVE_INFINITY),
  };
}

function whole([from, to]: Range): Range {
  return [Math.floor(from), Math.ceil(to)];
}

/** Where x is not the step, finer rows tell better which steps a window shows. */
function refined(content: Content): Content {
  const finer = new Map(content.fine.map(series => [series.run, series]));
  return { ...content, series: content.series.map(each => finer.get(each.run) ?? each) };
}

interface Asked extends Need {
  at: number;
}

interface Wanting {
  need: Need | null;
  waiting: Asked | null;
  answered: Asked | null;
  fine: readonly Series[];
  late: boolean;
}

const NOTHING: readonly Series[] = [];

/** Asks the kernel for what charts zoom to, seldom enough to be no burden, and keeps its answers. */
export class Details {
  #requests: Requests;
  #onChange: () => void;
  #charts = new Map<string, Wanting>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = Number.NEGATIVE_INFINITY;
  #session = "";

  constructor(requests: Requests, onChange: () => void, signal: AbortSignal) {
    [this.#requests, this.#onChange] = [requests, onChange];
    signal.addEventListener("abort", () => this.#forget());
  }

  /** Another session's answers say nothing about this one. */
  belongTo(session: string) {
    if (session !== this.#session) this.#forget();
    this.#session = session;
  }

  fine(metric: string): readonly Series[] {
    return this.#charts.get(metric)?.fine ?? NOTHING;
  }

  /** Whether the kernel was asked, and is busy. */
  late(metric: string): boolean {
    return this.#charts.get(metric)?.late ?? false;
  }

  want(metric: string, need: Need | null) {
    if (!this.#requests.possible) return;
    const known = this.#charts.get(metric);
    if (!known && !need) return;
    const chart = known ?? { need, waiting: null, answered: null, fine: NOTHING, late: false };
    this.#charts.set(metric, chart);
    chart.need = need;
    if (!need) [chart.answered, chart.fine, chart.late] = [null, NOTHING, false];
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
    const wait = Math.max(first.at, this.#last + APART) - now;
    if (wait > 0) return this.#later(wait);
    this.#last = now;
    void this.#ask(first.metric, first.chart);
    this.#later(APART);
  }

  async #ask(metric: string, chart: Wanting) {
    const need = chart.need as Need;
    const asked: Asked = { ...need, at: performance.now() };
    chart.waiting = asked;
    const late = setTimeout(() => this.#setLate(chart, asked), LATE);
    const [from, to] = need.steps ?? [null, null];
    try {
      const fields = { series: need.series, from, to, buckets: need.buckets };
      const fine = decodeAnswer(await this.#requests.ask("detail", fields));
      if (this.#charts.get(metric) !== chart || chart.waiting !== asked) return;
      if (chart.need) chart.fine = fine;
    } catch (error) {
      if (!(error instanceof NoAnswer)) console.error("Trackbook:", error);
    } finally {
      clearTimeout(late);
      if (chart.waiting === asked) {
        [chart.waiting, chart.answered, chart.late] = [null, asked, false];
        this.#onChange();
        this.#later(0);
      }
    }
  }

  #setLate(chart: Wanting, asked: Asked) {
    if (chart.waiting !== asked || !chart.need) return;
    chart.late = true;
    this.#onChange();
  }

  #forget() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#charts.clear();
  }
}

/** When a chart may be asked for; never, while it has what it needs or waits for it. */
function dueAt({ need, waiting, answered }: Wanting, now: number): number {
  if (!need || (waiting && now - waiting.at < FORGOTTEN)) return Number.POSITIVE_INFINITY;
  if (!answered || !covers(answered, need)) return 0;
  return need.reach > answered.reach ? answered.at + SAME_AGAIN : Number.POSITIVE_INFINITY;
}

function covers(answered: Asked, need: Need): boolean {
  const [from, to] = answered.steps ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const [first, last] = need.steps ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const asked = new Set(answered.series.map(String));
  return (
    from <= first &&
    to >= last &&
    (need.steps === null || to - from <= WIDER * (last - first)) &&
    answered.buckets >= FEWER * need.buckets &&
    need.series.every(one => asked.has(String(one)))
  );
}

function decodeAnswer({ content, buffers }: Answer): readonly Series[] {
  const headers = (content.series ?? []) as SeriesHeader[];
  const header = { version: VERSION, series: headers } as FrameHeader;
  const frame = decodeFrame({ header, data: buffers[0] });
  return frame ? headers.map(each => decodeSeries(each, frame.data)).filter(({ rows }) => rows > 0) : NOTHING;
}
