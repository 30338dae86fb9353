/** Boards of synthetic runs for visual checks: `npm run gallery`, then open /#NAME or /#NAME&dark. */
import widget from "../src/index.ts";
import { frame, run, type SeriesSpec, table } from "../test/fixtures.ts";
import { Kernel } from "./kernel.ts";
import { mediaModel } from "./media.ts";

const STARTED = Math.floor(Date.now() / 1000) - 200;

const noise = (seed: number) => {
  let state = seed * 7919 + 17;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648 - 0.5;
  };
};

function curve(seed: number, rows: number, shape: (share: number, noise: number) => number): number[][] {
  const random = noise(seed);
  return Array.from({ length: rows }, (_, i) => [i, STARTED + i * 0.4, shape(i / rows, random())]);
}

const METRICS = ["train/loss", "train/acc", "lr", "val/loss", "val/accuracy", "train/grad_norm", "val/f1"];

function series(runs: number, rows: number): SeriesSpec[] {
  return Array.from({ length: runs }, (_, key) => [
    {
      run: key,
      metric: 0,
      rows: curve(key, rows, (t, e) => 2.3 * Math.exp(-(3 + key / 3) * t) + 0.12 + 0.15 * e),
    },
    {
      run: key,
      metric: 1,
      rows: curve(key + 50, rows, (t, e) => 0.97 - 0.8 * Math.exp(-(5 + key / 2) * t) + 0.04 * e),
    },
    {
      run: key,
      metric: 2,
      rows: curve(0, rows, t => 0.003 * 0.5 ** (key % 3) * (1 + Math.cos(t * Math.PI))),
    },
    {
      run: key,
      metric: 3,
      rows: curve(key + 90, 20, (t, e) => 2 * Math.exp(-(3 + key / 3) * t) + 0.2 + 0.1 * e),
    },
    {
      run: key,
      metric: 4,
      rows: curve(key + 70, 20, (t, e) => 0.95 - 0.7 * Math.exp(-5 * t) + 0.02 * e - key / 50),
    },
    { run: key, metric: 5, rows: curve(key + 30, rows, (t, e) => 1e5 * (1 - t) * (1 + e)) },
    { run: key, metric: 6, rows: curve(key + 3, 1, () => 0.91 + key / 100) },
  ]).flat();
}

const names = ["brisk-otter-12", "calm-heron-3", "lr=0.003, wd=1e-4", "quick-fox-7"];

function runs(count: number, more: Parameters<typeof run>[1] = {}) {
  return Array.from({ length: count }, (_, key) =>
    run(key, {
      name: names[key] ?? `sweep-${key}`,
      state: "finished",
      started: STARTED,
      ended: 1_700_000_200,
      done: 500,
      ...more,
    }),
  );
}

const now = Date.now() / 1000;
const live = { state: "running", started: STARTED, ended: null, done: 412, total: 1000, rate: 5.2 } as const;

const points = { name: "points" };
const ofRun = { field: "color", type: "nominal", scale: null };
const at = (field: string, type = "quantitative") => ({ field, type });

function own() {
  const scatter = {
    mark: "point",
    encoding: { x: at("step"), y: at("value"), color: at("metric", "nominal") },
  };
  const area = { mark: "area", encoding: { x: at("step"), y: at("value"), color: ofRun } };
  const histogram = {
    mark: "bar",
    encoding: {
      x: { ...at("value"), bin: true },
      y: { aggregate: "count", type: "quantitative" },
      color: ofRun,
    },
  };
  const url = { ...scatter, data: { url: "https://example.com/x.csv" } };
  return [
    { name: "train/loss", spec: { data: points, ...area }, metrics: [] },
    { name: "val/both", spec: { data: points, ...scatter }, metrics: [] },
    { name: "train/histogram", spec: { data: points, ...histogram }, metrics: ["train/loss"] },
    { name: "val/url", spec: url, metrics: [] },
    { name: "val/broken", spec: { data: points, mark: "nonsense" }, metrics: [] },
    { name: "side by side", spec: { data: points, hconcat: [area, scatter, histogram] }, metrics: ["val/*"] },
    {
      name: "__proto__/facets",
      spec: { data: points, ...area, encoding: { ...area.encoding, column: at("run", "nominal") } },
      metrics: ["val/*"],
    },
  ];
}

const STATES = ["finished", "finished", "finished", "failed", "interrupted", "lost"] as const;

/** A project of `all` runs with their table; the board draws `drawn` of them. */
function project(all: number, drawn: number, metrics: number) {
  const random = noise(5);
  const known = Array.from({ length: metrics }, (_, i) => METRICS[i] ?? `layer ${i % 7}/figure ${i}`);
  const entries = Array.from({ length: all }, (_, key) => ({
    id: `id${key}`,
    name:
      names[key] ??
      `${["brisk", "calm", "quick", "odd"][key % 4]}-${["otter", "heron", "fox"][key % 3]}-${key}`,
    group: key % 5 ? `fold ${key % 5}` : null,
    state: key === all - 1 ? ("running" as const) : STATES[key % STATES.length],
    tags: key % 7 ? [] : ["baseline", "keep"],
    notes: key % 9 ? null : "warm-up was too short here",
    started: key === all - 1 ? STARTED : STARTED - 86400 + key * 60,
    ended: key === all - 1 ? null : STARTED - 86400 + key * 60 + 50 + (key % 13) * 40,
    config: {
      lr: [1e-4, 3e-4, 1e-3, 3e-3][key % 4],
      "optimizer.name": ["adam", "sgd", "lion"][key % 3],
      batch: [32, 64][key % 2],
      layers: 4 + (key % 5),
      seed: 7,
    },
  }));
  const runs = entries.slice(-drawn).map((entry, key) => run(key, { ...live, ...entry }));
  const figures = (key: number, metric: number) => {
    const value = Math.abs((1 + (key % 4)) * 0.2 + random() * 0.3) * (metric === 5 ? 1e4 : 1);
    return key === 17 ? ([Number.NaN, 0.1, 4] as const) : ([value, value * 0.9, value * 3] as const);
  };
  return {
    keyframe: frame(series(drawn, 200), { runs, metrics: known, project: "digits", now }),
    table: table(entries, known, figures),
  };
}

const boards: Record<string, () => Record<string, unknown>> = {
  one: () => ({
    keyframe: frame(series(1, 500), { runs: runs(1, live), metrics: METRICS, project: "digits", now }),
  }),
  three: () => ({
    keyframe: frame(series(3, 500), {
      runs: [...runs(2), { ...runs(3, live)[2] }],
      metrics: METRICS,
      project: "digits",
      now,
    }),
    smoothing: 6,
  }),
  twelve: () => ({
    keyframe: frame(series(12, 200), {
      runs: runs(12).map((r, i) => ({ ...r, state: i === 4 ? "failed" : r.state, faded: i === 0 })),
      metrics: METRICS,
      project: "digits",
    }),
  }),
  finished: () => ({
    keyframe: frame(series(3, 500), { runs: runs(3), metrics: METRICS, project: "digits" }),
  }),
  sixty: () => ({ keyframe: frame(series(60, 60), { runs: runs(60), metrics: METRICS, project: "sweep" }) }),
  odd: () => ({
    keyframe: frame(
      [
        { run: 0, metric: 0, rows: curve(1, 60, (t, e) => (t > 0.5 && t < 0.6 ? Number.NaN : t + e / 5)) },
        {
          run: 0,
          metric: 1,
          rows: curve(1, 40, (t, e) =>
            t === 0.5 ? Number.POSITIVE_INFINITY : t === 0.75 ? Number.NEGATIVE_INFINITY : e,
          ),
        },
        { run: 0, metric: 2, rows: [[7, STARTED, 0.25]] },
        { run: 0, metric: 3, rows: curve(1, 40, () => Number.NaN) },
        { run: 0, metric: 4, rows: curve(1, 300, t => 1e-7 * (1 + t)) },
        { run: 0, metric: 5, rows: curve(1, 300, () => 1) },
        { run: 0, metric: 6, rows: curve(1, 300, t => 0.99991 + t * 1e-5) },
        { run: 0, metric: 7, rows: curve(1, 300, t => -3e9 * t) },
      ],
      {
        runs: runs(1, {
          ...live,
          name: "<img src=x onerror=alert(1)> ".repeat(6),
          total: null,
          state: "failed",
          ended: now,
          error: "ValueError: x",
        }),
        metrics: [
          "nan",
          "inf",
          "dot",
          "all-nan",
          "tiny/1e-7",
          "tiny/constant",
          `tiny/${"a very long metric name with {{datum.value}} ".repeat(12)}`,
          "__proto__/😀 'quotes\" <b>",
        ],
        project: "odd & <b>",
        notices: ["The disk is full: points stay in memory until it has room again."],
      },
    ),
  }),
  own: () => ({
    keyframe: frame(series(3, 500), {
      runs: [...runs(2), { ...runs(3, live)[2] }],
      metrics: METRICS,
      project: "digits",
      now,
    }),
    user_charts: own(),
  }),
  panel: () => ({ ...project(40, 8, METRICS.length), panel: "runs" }),
  details: () => ({ ...project(40, 8, METRICS.length), panel: "runs", run_sort: "summary.val/loss" }),
  grouped: () => ({ ...project(40, 12, METRICS.length), panel: "runs", group_by: "config.optimizer.name" }),
  compare: () => ({ ...project(40, 8, METRICS.length), panel: "compare" }),
  thousand: () => ({ ...project(1000, 10, 50), panel: "runs" }),
  empty: () => ({
    keyframe: frame([], {
      runs: runs(1, { ...live, done: 0, rate: null, total: null }),
      metrics: [],
      project: "digits",
      now,
    }),
  }),
  media: () => ({
    keyframe: frame(series(3, 500), { runs: runs(3), metrics: METRICS, project: "digits", now }),
  }),
  nothing: () => ({}),
  version: () => ({ keyframe: frame([], { version: 99 }) }),
};

const name = location.hash.slice(1).split("&")[0] || "three";
addEventListener("hashchange", () => location.reload());
const theme = location.hash.includes("dark") ? "dark" : "light";
document.body.dataset.jpThemeLight = String(theme === "light");
document.body.style.background = theme === "dark" ? "#111" : "#fff";
const model = name === "media" ? mediaModel(boards.media()) : new Kernel(boards[name]());
const el = document.querySelector("main") as HTMLElement;
Object.assign(window, { model, frame, run, curve });
widget.initialize({ model });
widget.render({ model, el });
