/** Measures what a refresh of a board costs the browser, for short and long runs: `benchmarks/draws.py`. */
import { Chart } from "../src/charts/chart.ts";
import widget from "../src/index.ts";
import { FakeModel, frame, run, type SeriesSpec } from "../test/fixtures.ts";

const [METRICS, RUNS] = [12, 3];

interface Board {
  model: FakeModel;
  el: HTMLElement;
  seq: number;
  refresh(): SeriesSpec[];
}

let spent = 0; // ms spent in draws
let drawn = 0;
const draw = Chart.prototype.draw;
Chart.prototype.draw = async function (this: Chart) {
  const begin = performance.now();
  await draw.call(this);
  spent += performance.now() - begin;
  drawn++;
};

/** Return the points of a random walk, or buckets as of a run of ten million steps. */
function walk(steps: number, width: number): number[][] {
  let value = 0;
  const buckets = Math.ceil(steps / width);
  return Array.from({ length: buckets }, (_, bucket) => {
    const corner = (share: number) => {
      value += Math.random() - 0.5;
      return [bucket * width + Math.floor(share * (width - 1)), bucket, value];
    };
    if (width === 1) return corner(0);
    const corners = [0, 0.3, 0.6, 1].map(corner);
    const [low, high] = [corners[1], corners[2]].sort((a, b) => a[2] - b[2]);
    return [bucket, width, value, width, 0, 0, 0, ...corners[0], ...low, ...high, ...corners[3]];
  });
}

function board(steps: number, width: number): Board {
  const keys = Array.from({ length: METRICS * RUNS }, (_, i) => [Math.floor(i / METRICS), i % METRICS]);
  const series = () => keys.map(([run, metric]) => ({ run, metric, width, rows: walk(steps, width) }));
  const runs = Array.from({ length: RUNS }, (_, key) => run(key));
  const metrics = Array.from({ length: METRICS }, (_, i) => `train/m${i}`);
  const first = series();
  const model = new FakeModel({ keyframe: frame(first, { runs, metrics }) });
  const el = document.createElement("main");
  document.body.append(el);
  // the newest steps change the last two rows of every series
  const refresh = () =>
    first.map(each => ({
      ...each,
      rows: each.rows.slice(-2).map(row => row.map((x, i) => (i === row.length - 1 ? x + Math.random() : x))),
    }));
  widget.render({ model, el });
  el.hidden = true;
  return { model, el, seq: 1, refresh };
}

const boards = { short: board(1000, 1), long: board(10_000_000, 2 ** 15) };
const frameDone = () => new Promise(resolve => requestAnimationFrame(resolve));

async function settled() {
  for (let before = -1; before !== drawn; ) {
    before = drawn;
    for (let i = 0; i < 4; i++) await frameDone();
  }
}

/** Return the mean drawing time per refresh, in ms. */
async function measure(name: keyof typeof boards, refreshes: number): Promise<number> {
  const shown = boards[name];
  for (const each of Object.values(boards)) each.el.hidden = each !== shown;
  await settled();
  [spent, drawn] = [0, 0];
  for (let i = 0; i < refreshes; i++) {
    shown.model.set("delta", frame(shown.refresh(), { base: 1, seq: ++shown.seq, metrics: [], runs: [] }));
    await settled();
  }
  if (drawn !== refreshes * METRICS) throw new Error(`${drawn} draws, not ${refreshes * METRICS}`);
  return spent / refreshes;
}

Object.assign(window, { measure });
