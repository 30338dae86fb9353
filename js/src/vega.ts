/** The only importer of Vega and Vega-Lite. */
import { changeset, parse, type Runtime, truthy, View } from "vega";
import { type Config, compile, type TopLevelSpec } from "vega-lite";
import bar from "../../src/trackbook/specs/bar.json";
import relative from "../../src/trackbook/specs/line-relative.json";
import step from "../../src/trackbook/specs/line-step.json";
import time from "../../src/trackbook/specs/line-time.json";
import parallel from "../../src/trackbook/specs/parallel.json";
import scatter from "../../src/trackbook/specs/scatter.json";
import type { Kind } from "./plot.ts";
import { type Theme, VEGA_COLORS } from "./theme.ts";

export type { View } from "vega";

/** The charts of Python's `charts.py`. */
export type Spec = Kind | "scatter" | "parallel";

const SPECS: Record<Spec, unknown> = {
  "line-step": step,
  "line-relative": relative,
  "line-time": time,
  bar,
  scatter,
  parallel,
};

const compiled = new Map<string, Runtime>();

function runtimeOf(kind: Spec, theme: Theme, font: string): Runtime {
  const key = JSON.stringify([kind, theme, font]);
  let runtime = compiled.get(key);
  if (!runtime) {
    const sized = {
      ...(SPECS[kind] as TopLevelSpec),
      width: 300,
      height: 180,
      autosize: { type: "fit", contains: "padding" },
    };
    const { spec } = compile(sized as TopLevelSpec, {
      config: config(theme, font),
      logger: quiet(console.error),
    });
    runtime = parse(spec);
    compiled.set(key, runtime);
  }
  return runtime;
}

/** A Vega view that stays while its data changes. */
export interface Canvas {
  view: View;
  /** Rejects with whatever goes wrong in Vega, which itself only logs it. */
  draw(rows: readonly object[], signals: Record<string, unknown>): Promise<void>;
}

export function createCanvas(kind: Spec, theme: Theme, font: string, container: HTMLElement): Canvas {
  let failure: unknown = null;
  const logger = quiet(problem => {
    failure ??= problem;
  });
  const view = new View(runtimeOf(kind, theme, font), {
    renderer: "canvas",
    container,
    hover: false,
    logger,
  });
  const draw = async (rows: readonly object[], signals: Record<string, unknown>) => {
    failure = null;
    for (const [name, value] of Object.entries(signals)) view.signal(name, value);
    await view
      .change(
        "points",
        changeset()
          .remove(truthy)
          .insert(rows as object[]),
      )
      .runAsync();
    if (failure) throw failure;
  };
  return { view, draw };
}

function config(theme: Theme, font: string): Config {
  const { text, label, grid, frame } = VEGA_COLORS[theme];
  return {
    background: "transparent",
    font,
    padding: { left: 0, top: 4, right: 2, bottom: 0 },
    view: { stroke: null },
    axis: {
      domain: false,
      gridColor: grid,
      labelColor: label,
      labelFontSize: 11,
      labelPadding: 6,
      tickColor: frame,
      ticks: false,
    },
    axisX: {
      domain: true,
      domainColor: frame,
      grid: false,
      labelFlush: true,
      labelOverlap: true,
      ticks: true,
      tickSize: 4,
      labelPadding: 4,
      tickCount: 5,
    },
    text: { color: text, fontSize: 11 },
    axisY: { labelFontSize: 11 },
  } as Config;
}

/** Vega tells of errors by its logger and goes on. Warnings are about infinite extents of empty data: dropped. */
function quiet(onError: (problem: unknown) => void) {
  const logger = {
    level: () => logger,
    error: (...problems: unknown[]) => {
      onError(problems[0]);
      return logger;
    },
    warn: () => logger,
    info: () => logger,
    debug: () => logger,
  };
  return logger as never;
}
