import { changeset, loader, parse, truthy, View } from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { type Config, compile, type TopLevelSpec } from "vega-lite";
import { PALETTE } from "../plot/palette.ts";
import type { TextLook, Theme } from "../ui/theme.ts";
import { isComposite, type UserChartRow, type UserChartSpec } from "./user-spec.ts";
import { resizeView } from "./vega-box.ts";
import { errorLogger, vegaConfig } from "./vega-view.ts";

/** The Vega view of a user's chart; it stays while its data change. */
export interface UserView {
  view: View;
  /** Draw the rows. Rejects with errors that Vega itself only logs. */
  draw(rows: UserChartRow[]): Promise<void>;
  /** Set the size in pixels. */
  resize(width: number, height: number): void;
}

const AXIS_WIDTH = 66; // px beside a view for its axis

/** Create the view of a user's chart. It loads no external resource, whatever the spec says. */
export function createUserView(
  chart: UserChartSpec,
  theme: Theme,
  textLook: TextLook,
  container: HTMLElement,
): UserView {
  let failure: unknown = null;
  let refusal: Error | null = null; // reported at every draw: Vega asks once, and then lacks the resource
  const fail = (problem: unknown) => {
    failure ??= problem;
  };
  const composite = isComposite(chart);
  // laid out again with the data, because labels and legends grow with them
  const sized = composite
    ? { autosize: { type: "pad", resize: true } }
    : { width: 300, height: 180, autosize: { type: "fit", contains: "padding", resize: true } };
  const { spec } = compile({ ...chart.spec, ...sized } as unknown as TopLevelSpec, {
    config: userConfig(theme, textLook, composite),
    logger: errorLogger(fail),
  });
  if (failure) throw failure;
  const view = new View(parse(spec, undefined, { ast: true }), {
    expr: expressionInterpreter,
    renderer: "canvas",
    container,
    hover: true,
    logger: errorLogger(fail),
    loader: refuseToLoad(problem => {
      refusal ??= problem;
    }),
  });
  const live = spec.data?.some(({ name }) => name === "points"); // a chart may use only data of its own
  const draw = async (rows: UserChartRow[]) => {
    failure = null;
    if (live) view.change("points", changeset().remove(truthy).insert(rows));
    await view.runAsync();
    if (refusal ?? failure) throw refusal ?? failure;
  };
  const resize = (width: number, height: number) => {
    if (!composite) return resizeView(view, width, height);
    for (const [name, value] of widthSignals(chart.spec, width))
      if (hasSignal(view, name)) view.signal(name, value);
    view.resize();
  };
  return { view, draw, resize };
}

/** Yield Vega-Lite's width signals of concatenated views. */
function* widthSignals(
  { hconcat, vconcat }: Record<string, unknown>,
  width: number,
): Iterable<[string, number]> {
  const views = (hconcat ?? vconcat ?? []) as { width?: unknown }[];
  const each = Math.max(80, Math.floor(hconcat ? width / views.length : width) - AXIS_WIDTH);
  if (views.every(view => view.width === undefined)) yield ["childWidth", each];
  for (const [i, view] of views.entries()) if (view.width === undefined) yield [`concat_${i}_width`, each];
}

function hasSignal(view: View, name: string): boolean {
  return name in (view.getState({ signals: () => true, data: () => false }).signals as object);
}

function refuseToLoad(onRefusal: (problem: Error) => void) {
  const refuse = (uri: string): Promise<never> => {
    const problem = new Error(
      `it would load ${uri}, and a board loads no external resources. Pass it the data itself.`,
    );
    onRefusal(problem);
    return Promise.reject(problem);
  };
  const links = loader();
  return {
    ...links,
    load: refuse,
    http: refuse,
    file: refuse,
    /** Allow links, which the reader follows, and images embedded in the spec. */
    sanitize: (uri: string, options: { context: "href" | "image" }) =>
      options.context === "href" || /^data:image\//i.test(uri) ? links.sanitize(uri, options) : refuse(uri),
  } as typeof links;
}

function userConfig(theme: Theme, textLook: TextLook, composite: boolean): Config {
  const { text } = PALETTE[theme];
  const label = textLook.label || PALETTE[theme].label;
  const base = vegaConfig(theme, textLook);
  const texts = {
    labelColor: label,
    titleColor: label,
    titleFontWeight: "normal",
    labelFontSize: 11,
    titleFontSize: 11,
  };
  return {
    ...base,
    axis: { ...base.axis, ...texts },
    legend: { ...texts, orient: composite ? "bottom" : "right" },
    padding: { left: 0, top: 4, right: 2, bottom: 4 },
    header: texts,
    title: { color: text, subtitleColor: label },
    range: { category: [...PALETTE[theme].line] },
    view: { stroke: null, continuousHeight: 180, discreteHeight: 180 },
    mark: { color: PALETTE[theme].line[0] },
  } as Config;
}
