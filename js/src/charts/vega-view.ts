/** With `user-view.ts` the only module that imports Vega and Vega-Lite. */
import { type Changeset, changeset, parse, type Runtime, truthy, View } from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { type Config, compile, type TopLevelSpec } from "vega-lite";
import CONFIGS from "../../../src/trackbook/charts/vega_lite/config.json";
import { PALETTE } from "../plot/palette.ts";
import type { PlotRow } from "../plot/plot-rows.ts";
import type { Spec } from "../plot/specs.ts";
import type { TextLook, Theme } from "../ui/theme.ts";
import { type RowChange, VegaRows } from "./vega-rows.ts";

interface Compiled {
  runtime: Runtime;
  signals: ReadonlySet<string>;
}

const LABELS = 11; // pixels; as in config.json

let allowed: boolean | undefined;

/**
 * Whether the page allows compiled expressions, which draw faster. A policy in a meta tag can be read; a policy in
 * a response header is invisible to scripts, so it is tried once, and the browser logs the violation.
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

function compileOnce(spec: Spec, theme: Theme, textLook: TextLook, labels: number): Compiled {
  const known = compiled.get(spec) ?? new Map<string, Compiled>();
  compiled.set(spec, known);
  const key = JSON.stringify([theme, textLook, labels]);
  const made = known.get(key) ?? compileSpec(spec, theme, textLook, labels);
  known.set(key, made);
  return made;
}

function compileSpec(spec: Spec, theme: Theme, textLook: TextLook, labels: number): Compiled {
  // Labels grow with the numbers: without `resize`, labels wider than the first ones would be cut off.
  const autosize = { type: "fit", contains: "padding", resize: true };
  const sized = { ...spec, width: 300, height: 180, autosize };
  const options = { config: vegaConfig(theme, textLook, labels), logger: errorLogger(console.error) };
  const vega = compile(sized as unknown as TopLevelSpec, options).spec;
  const runtime = parse(vega, undefined, { ast: !mayEval() });
  const signals = (vega.signals ?? []).map(({ name }) => name);
  return { runtime, signals: new Set(signals) };
}

/** A Vega view that stays while its data change. */
export interface VegaView {
  view: View;
  /** Draw the rows. Signals missing from the spec are ignored. Rejects with errors that Vega itself only logs. */
  draw(rows: readonly object[], signals: Record<string, unknown>): Promise<void>;
  /** Draw rows that are ordered by line; much faster if most rows stay. */
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

/** The number of removed rows whose items Vega keeps, per layer and chart. Vega's default is 10,000. */
const REMOVED_ROWS_KEPT = 200;

type ViewWithCleaning = View & { cleanThreshold: number };
type ReflowingChangeset = Changeset & { reflow(): Changeset };

/** Convert to a Vega changeset that also re-evaluates the rows that stay. */
function changesetOf({ added, removed }: RowChange): Changeset {
  const change = changeset().remove(removed ?? truthy);
  const nothing = () => false;
  // marks the field as changed
  for (const name of OVERWRITTEN_FIELDS) change.modify(nothing, name, () => undefined);
  return (change.insert(added) as ReflowingChangeset).reflow();
}

/** Create a view in `container`; `labels` is the size of its labels in pixels. */
export function createVegaView(
  spec: Spec,
  theme: Theme,
  textLook: TextLook,
  container: HTMLElement,
  labels = LABELS,
): VegaView {
  let failure: unknown = null;
  const logger = errorLogger(problem => {
    failure ??= problem;
  });
  const { runtime, signals: known } = compileOnce(spec, theme, textLook, labels);
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
    // new smoothed lines must start with the oldest rows
    if (smoothed !== Boolean(signals.smoothing)) held.forget();
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

/** The target of a picture. */
interface Page {
  theme: Theme;
  textLook: TextLook;
  look: PictureLook;
  /** The longest name in the legend, in letters. */
  longest: number;
}

/** The size of a picture in pixels; labels, title and legend are around its plot. */
export interface PictureLook {
  width: number;
  height: number;
  /** Of its labels. */
  fontSize: number;
  padding: number;
}

/** Draw a chart without a page, on a background. The caller finalizes the view. */
export async function drawPicture(
  spec: Spec,
  { theme, textLook, look, longest }: Page,
  rows: readonly object[],
  signals: Record<string, unknown>,
): Promise<View> {
  const { text, label, background } = PALETTE[theme];
  const base = vegaConfig(theme, { ...textLook, label, frame: "" }); // as on paper
  const { width, height, fontSize } = look;
  const columns = Math.max(1, Math.floor(width / (longest * fontSize * 0.6 + 40))); // no name is cut
  const pictureConfig = {
    ...base,
    background,
    padding: look.padding,
    axis: {
      ...base.axis,
      labelFontSize: fontSize,
      titleColor: label,
      titleFontSize: fontSize,
      titleFontWeight: "normal",
    },
    title: { color: text, fontSize: fontSize + 2, fontWeight: 600, offset: look.padding * 0.75 },
    legend: { labelColor: text, labelFontSize: fontSize, labelLimit: 0, orient: "bottom", columns },
  } as Config;
  let failure: unknown = null;
  const logger = errorLogger(problem => {
    failure ??= problem;
  });
  const vega = compile({ ...spec, width, height } as unknown as TopLevelSpec, {
    config: pictureConfig,
    logger,
  }).spec;
  const view = new View(parse(vega, undefined, { ast: !mayEval() }), {
    ...(mayEval() ? {} : { expr: expressionInterpreter }),
    renderer: "none",
    logger,
  });
  const known = new Set((vega.signals ?? []).map(({ name }) => name));
  for (const [name, value] of Object.entries(signals)) if (known.has(name)) view.signal(name, value);
  const copies = rows.map(row => ({ ...row })); // Vega writes into its rows
  await view.change("points", changeset().insert(copies)).runAsync();
  if (failure) throw failure;
  return view;
}

export function vegaConfig(theme: Theme, { font, label, frame }: TextLook, labels = LABELS): Config {
  const { axis, axisX, axisY, ...config } = CONFIGS[theme];
  const lines = frame ? { domainColor: frame, tickColor: frame } : {};
  return {
    ...config,
    axis: { ...axis, ...lines, labelFontSize: labels, ...(label && { labelColor: label }) },
    axisX: { ...axisX, ...lines },
    axisY: { ...axisY, labelFontSize: labels },
    aria: false, // otherwise Vega describes every point in words, which takes longer than drawing it
    background: "transparent",
    font,
    padding: { left: 0, top: 4, right: 2, bottom: 0 },
  } as Config;
}

/** Make a logger: Vega logs errors and continues. Warnings, about infinite extents of empty data, are dropped. */
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
