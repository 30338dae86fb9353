import { changeset, loader, parse, truthy, View } from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { type Config, compile, type TopLevelSpec } from "vega-lite";
import { PALETTE } from "../plot/palette.ts";
import { type Theme, VEGA_COLORS } from "../ui/theme.ts";
import { resizeView } from "./sizing.ts";
import { isComposite, type OwnRow, type UserChart } from "./user-spec.ts";
import { config, quiet } from "./vega-view.ts";

/** A Vega view of a user's chart, which stays while its data change. */
export interface OwnCanvas {
  view: View;
  /** Rejects with whatever goes wrong in Vega, which itself only logs it. */
  draw(rows: OwnRow[]): Promise<void>;
  /** Makes it so large, in pixels. */
  resize(width: number, height: number): void;
}

const BESIDE_AXES = 66; // px that a view's axis takes beside it

/** A view of a user's chart. It loads nothing, whatever its specification says. */
export function createOwnCanvas(
  chart: UserChart,
  theme: Theme,
  font: string,
  container: HTMLElement,
): OwnCanvas {
  let failure: unknown = null;
  let refusal: Error | null = null; // asked for once, and missing ever after
  const fail = (problem: unknown) => {
    failure ??= problem;
  };
  const composite = isComposite(chart);
  // laid out anew with the data: labels and legends grow with them
  const sized = composite
    ? { autosize: { type: "pad", resize: true } }
    : { width: 300, height: 180, autosize: { type: "fit", contains: "padding", resize: true } };
  const { spec } = compile({ ...chart.spec, ...sized } as unknown as TopLevelSpec, {
    config: ownConfig(theme, font, composite),
    logger: quiet(fail),
  });
  if (failure) throw failure;
  const view = new View(parse(spec, undefined, { ast: true }), {
    expr: expressionInterpreter,
    renderer: "canvas",
    container,
    hover: true,
    logger: quiet(fail),
    loader: refuseToLoad(problem => {
      refusal ??= problem;
    }),
  });
  const live = spec.data?.some(({ name }) => name === "points"); // it may also draw data of its own only
  const draw = async (rows: OwnRow[]) => {
    failure = null;
    if (live) view.change("points", changeset().remove(truthy).insert(rows));
    await view.runAsync();
    if (refusal ?? failure) throw refusal ?? failure;
  };
  const resize = (width: number, height: number) => {
    if (!composite) return resizeView(view, width, height);
    for (const [name, value] of sizesOf(chart.spec, width))
      if (hasSignal(view, name)) view.signal(name, value);
    view.resize();
  };
  return { view, draw, resize };
}

/** Signals of Vega-Lite's that hold the widths of views side by side, or one below the other. */
function* sizesOf({ hconcat, vconcat }: Record<string, unknown>, width: number): Iterable<[string, number]> {
  const views = (hconcat ?? vconcat ?? []) as { width?: unknown }[];
  const each = Math.max(80, Math.floor(hconcat ? width / views.length : width) - BESIDE_AXES);
  if (views.every(view => view.width === undefined)) yield ["childWidth", each];
  for (const [i, view] of views.entries()) if (view.width === undefined) yield [`concat_${i}_width`, each];
}

function hasSignal(view: View, name: string): boolean {
  return name in (view.getState({ signals: () => true, data: () => false }).signals as object);
}

function refuseToLoad(onRefusal: (problem: Error) => void) {
  const refuse = (uri: string): Promise<never> => {
    const problem = new Error(
      `it would load ${uri}, and a board loads nothing from elsewhere. Give it the data themselves.`,
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
    /** Links are for the reader to follow, and an image may stand in the specification itself. */
    sanitize: (uri: string, options: { context: "href" | "image" }) =>
      options.context === "href" || /^data:image\//i.test(uri) ? links.sanitize(uri, options) : refuse(uri),
  } as typeof links;
}

function ownConfig(theme: Theme, font: string, composite: boolean): Config {
  const { text, label } = VEGA_COLORS[theme];
  const base = config(theme, font);
  const words = {
    labelColor: label,
    titleColor: label,
    titleFontWeight: "normal",
    labelFontSize: 11,
    titleFontSize: 11,
  };
  return {
    ...base,
    axis: { ...base.axis, ...words },
    legend: { ...words, orient: composite ? "bottom" : "right" },
    padding: { left: 0, top: 4, right: 2, bottom: 4 },
    header: words,
    title: { color: text, subtitleColor: label },
    range: { category: [...PALETTE[theme].line] },
    view: { stroke: null, continuousHeight: 180, discreteHeight: 180 },
    mark: { color: PALETTE[theme].line[0] },
  } as Config;
}
