/** With `user-view.ts` the only importer of Vega and Vega-Lite. */
import { type Changeset, changeset, parse, type Runtime, truthy, View } from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { type Config, compile, type TopLevelSpec } from "vega-lite";
import type { PlotRow } from "../plot/rows.ts";
import type { Spec } from "../plot/specs.ts";
import { type Theme, VEGA_COLORS } from "../ui/theme.ts";
import { type RowChange, VegaRows } from "./vega-rows.ts";

interface Compiled {
  runtime: Runtime;
  signals: ReadonlySet<string>;
}

let allowed: boolean | undefined;

/**
 * Whether the page lets expressions be compiled, which makes a draw quicker. Where the page itself tells of its policy,
 * nothing is tried; of one that came with the response no script can know, and the browser logs an attempt. Asked once.
 */
function mayEval(): boolean {
  if (allowed !== undefined) return allowed;
  const policies = document.querySelectorAll<HTMLMetaElement>('meta[http-equiv="Content-Security-Policy" i]');
  if ([...policies].some(({ content }) => forbidsEval(content))) {
    allowed = false;
    return allowed;
  }
  try {
    new Function("");
    allowed = true;
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    allowed = false;
  }
  return allowed;
}

export function forbidsEval(policy: string): boolean {
  const directives = policy
    .toLowerCase()
    .split(";")
    .map(each => each.trim().split(/\s+/));
  const of = (name: string) => directives.find(([first]) => first === name);
  const scripts = of("script-src") ?? of("default-src");
  return scripts !== undefined && !scripts.includes("'unsafe-eval'");
}

const compiled = new WeakMap<Spec, Map<string, Compiled>>();

function compileOnce(spec: Spec, theme: Theme, font: string): Compiled {
  const known = compiled.get(spec) ?? new Map<string, Compiled>();
  compiled.set(spec, known);
  const key = JSON.stringify([theme, font]);
  const made = known.get(key) ?? compileSpec(spec, theme, font);
  known.set(key, made);
  return made;
}

function compileSpec(spec: Spec, theme: Theme, font: string): Compiled {
  // Labels grow with the numbers: without `resize` those that are wider than the first ones would be cut off.
  const autosize = { type: "fit", contains: "padding", resize: true };
  const sized = { ...spec, width: 300, height: 180, autosize };
  const options = { config: vegaConfig(theme, font), logger: errorLogger(console.error) };
  const vega = compile(sized as unknown as TopLevelSpec, options).spec;
  const runtime = parse(vega, undefined, { ast: !mayEval() });
  const signals = (vega.signals ?? []).map(({ name }) => name);
  return { runtime, signals: new Set(signals) };
}

/** A Vega view that stays while its data changes. */
export interface VegaView {
  view: View;
  /** Signals that the specification does not have are passed over. Rejects with what Vega itself would only log. */
  draw(rows: readonly object[], signals: Record<string, unknown>): Promise<void>;
  /** The same of rows that come line after line: much quicker where most stay. */
  drawLines(rows: readonly PlotRow[], signals: Record<string, unknown>): Promise<void>;
}

const OVERWRITTEN_FIELDS: readonly (keyof PlotRow)[] = [
  "step",
  "time",
  "value",
  "smooth",
  "x",
  "mark",
  "low",
  "high",
];

/** Rows that are gone, up to which Vega keeps what it drew of them, in each layer of each chart. Its own number is 10,000. */
const REMOVED_ROWS_KEPT = 200;

type ViewWithCleaning = View & { cleanThreshold: number };
type ReflowingChangeset = Changeset & { reflow(): Changeset };

/** As a change of Vega's, in which it looks again at all rows that stay. */
function changesetOf({ added, removed }: RowChange): Changeset {
  const change = changeset().remove(removed ?? truthy);
  const nothing = () => false;
  for (const name of OVERWRITTEN_FIELDS) change.modify(nothing, name, () => undefined); // says that the field may be another
  return (change.insert(added) as ReflowingChangeset).reflow();
}

export function createVegaView(spec: Spec, theme: Theme, font: string, container: HTMLElement): VegaView {
  let failure: unknown = null;
  const logger = errorLogger(problem => {
    failure ??= problem;
  });
  const { runtime, signals: known } = compileOnce(spec, theme, font);
  const view = new View(runtime, {
    ...(mayEval() ? {} : { expr: expressionInterpreter }),
    renderer: "canvas",
    container,
    hover: false,
    logger,
  });
  (view as ViewWithCleaning).cleanThreshold = REMOVED_ROWS_KEPT;
  const held = new VegaRows();
  const run = async (change: Changeset, signals: Record<string, unknown>) => {
    failure = null;
    for (const [name, value] of Object.entries(signals)) if (known.has(name)) view.signal(name, value);
    await view.change("points", change).runAsync();
    if (failure) throw failure;
  };
  const draw = (rows: readonly object[], signals: Record<string, unknown>) => {
    held.forget();
    return run(changeset().remove(truthy).insert(rows), signals);
  };
  let smoothed = false;
  const drawLines = async (rows: readonly PlotRow[], signals: Record<string, unknown>) => {
    if (smoothed !== Boolean(signals.smoothing)) held.forget(); // lines that come back would begin with the newest rows
    smoothed = Boolean(signals.smoothing);
    try {
      await run(changesetOf(held.update(rows)), signals);
    } catch (error) {
      held.forget();
      throw error;
    }
  };
  return { view, draw, drawLines };
}

export function vegaConfig(theme: Theme, font: string): Config {
  const { text, label, grid, frame } = VEGA_COLORS[theme];
  return {
    aria: false, // else every point of a line is described in words, which takes longer than drawing it
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
      labelBound: 2,
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
export function errorLogger(onError: (problem: unknown) => void) {
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
