/** Which channel of a media chart tells what: on a board a colour is that of a run, so classes have dashes, or colours of no run. Pure. */

type Channels = Readonly<Record<string, unknown>>;

const DASHES = [
  [1, 0],
  [5, 3],
  [2, 3],
  [8, 3, 2, 3],
  [12, 4],
  [2, 7],
  [8, 3, 2, 3, 2, 3],
  [12, 3, 5, 3],
];
const NEUTRAL = "#8a919c"; // legible on light and on dark ground
const CLASS_COLORS = ["#9a7440", "#b0528f", "#728f34", "#7f8391", "#c07a9c", "#8e8a2e", "#8a6fae", "#a8605a"];

/** Return the channel that colours marks; undefined where a chart leaves that open, or colours all alike. */
export function colorField({ color, stroke }: Channels): Record<string, unknown> | undefined {
  return [color, stroke].find(
    (channel): channel is Record<string, unknown> =>
      typeof channel === "object" && channel !== null && ("field" in channel || "condition" in channel),
  );
}

/** Return channels in which dashes tell the classes that colours told; null where dashes cannot, as for a colour that is a quantity. */
export function withDashes(channels: Channels, values: readonly unknown[]): Channels | null {
  const told = colorField(channels);
  if (!told) return channels;
  const { color, stroke, strokeDash, ...others } = channels;
  const { field, type, legend, scale } = told as Record<string, unknown>;
  const known = (scale as { domain?: unknown } | undefined)?.domain;
  const domain = Array.isArray(known) ? known : undefined;
  const dashed = strokeDash as { field?: unknown } | undefined;
  if (typeof field !== "string" || !["nominal", "ordinal"].includes(String(type))) return null;
  if (dashed && dashed.field !== field) return null;
  const { condition, ...own } = told;
  const many = new Set(values).size > DASHES.length; // too many to tell apart: their names are in the tooltip
  if (many) return { ...others, detail: [...listed(others.detail), { field, type }] };
  const shown = { symbolType: "stroke", symbolStrokeColor: NEUTRAL, symbolSize: 500 };
  return {
    ...others,
    strokeDash: {
      ...own,
      scale: { ...(domain ? { domain } : {}), range: DASHES },
      legend: legend === null ? null : { ...(legend as object | undefined), ...shown },
    },
  };
}

/** Return a chart whose colours of classes are those of no run, unless it has its own. */
export function withClassColors(spec: Record<string, unknown>): Record<string, unknown> {
  const config = (spec.config ?? {}) as { range?: object };
  return { ...spec, config: { ...config, range: { category: CLASS_COLORS, ...config.range } } };
}

function listed(channel: unknown): readonly unknown[] {
  return Array.isArray(channel) ? channel : channel ? [channel] : [];
}
