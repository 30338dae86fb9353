import palette from "../../../src/trackbook/charts/vega_lite/theme.json";
import type { RunHeader } from "../frames/protocol.ts";
import type { Theme } from "../ui/theme.ts";
import type { RunStyle } from "./plot-rows.ts";

/**
 * Ten colours that remain distinct with protanopia, deuteranopia and tritanopia (found by simulated annealing of
 * the smallest OKLab distance under Machado's simulation; `palette.test.ts` checks it), with a contrast of at least
 * 3:1. The first eight differ in lightness as well. `ink` is the same hue at 4.5:1, for text.
 */
export const PALETTE = palette;

const MOST_DASHED = 20; // drawn runs; the dashes of more would blur into each other

/** Return the style of each run, by key. A run has its colour on every board; `strong` ones contrast also where they are faded. */
export function styleRuns(
  runs: readonly RunHeader[],
  theme: Theme,
  chosen: Readonly<Record<string, string>> = {},
  strong = false,
  hidden: ReadonlySet<string> = new Set(),
): Map<number, RunStyle> {
  const { line, ink, faded } = PALETTE[theme];
  const labels = uniqueLabels(runs);
  const dashes = dashesOf(runs, line.length, hidden);
  const style = (run: RunHeader): RunStyle => {
    const place = run.place ?? run.key;
    const hue = place % line.length;
    const usual = run.faded
      ? { color: strong ? faded.ink : faded.line, ink: faded.ink }
      : { color: line[hue], ink: ink[hue] };
    const own = Object.hasOwn(chosen, run.id) ? chosen[run.id] : null;
    const colors = own ? { color: own, ink: legibleInk(own, theme) } : usual;
    const dash = own ? [] : (dashes.get(run.key) ?? []); // a chosen colour tells enough
    return { run, label: labels.get(run.key) as string, dash, ...colors };
  };
  return new Map(runs.map(run => [run.key, style(run)]));
}

/** Return dash patterns that tell runs of the same colour apart, on boards of many runs only the drawn ones, unless too many are. */
function dashesOf(
  all: readonly RunHeader[],
  colors: number,
  hidden: ReadonlySet<string>,
): Map<number, readonly number[]> {
  const runs = all.length > MOST_DASHED ? all.filter(({ id }) => !hidden.has(id)) : all;
  if (runs.length > MOST_DASHED) return new Map();
  const alike = new Map<number, number>();
  const found = new Map<number, readonly number[]>();
  const placeOf = ({ place, key }: RunHeader) => place ?? key;
  for (const run of runs.filter(({ faded }) => !faded).sort((a, b) => placeOf(a) - placeOf(b))) {
    const hue = placeOf(run) % colors;
    const rank = alike.get(hue) ?? 0;
    found.set(run.key, palette.dashes[rank % palette.dashes.length]);
    alike.set(hue, rank + 1);
  }
  return found;
}

/** Return the colour of a value's place in its range, from 0 to 1. */
export function rampColor(share: number, theme: Theme): string {
  const ramp = PALETTE[theme].ramp;
  const at = Math.min(1, Math.max(0, share)) * (ramp.length - 1);
  const from = Math.min(ramp.length - 2, Math.floor(at));
  const [a, b] = [channels(ramp[from]), channels(ramp[from + 1])];
  return hex(a.map((channel, i) => Math.round(channel + (b[i] - channel) * (at - from))));
}

function channels(color: string): number[] {
  return [1, 3, 5].map(at => Number.parseInt(color.slice(at, at + 2), 16));
}

const CONTRAST = 4.5; // WCAG AA for text

/** Darken a chosen colour, or lighten it in the dark theme, until it is legible as text. */
function legibleInk(color: string, theme: Theme): string {
  const toward = theme === "dark" ? 255 : 0;
  const rgb = channels(color);
  for (let share = 0; share <= 1; share += 0.05) {
    const mixed = rgb.map(channel => Math.round(channel + (toward - channel) * share));
    if (contrast(mixed, theme) >= CONTRAST) return hex(mixed);
  }
  return hex(rgb.map(() => toward));
}

function contrast(rgb: readonly number[], theme: Theme): number {
  const linear = rgb.map(channel => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  // relative luminance of #111, the background of dark notebooks, and of white
  const ground = theme === "dark" ? 0.006 : 1;
  return (Math.max(light, ground) + 0.05) / (Math.min(light, ground) + 0.05);
}

function hex(rgb: readonly number[]): string {
  return `#${rgb.map(channel => channel.toString(16).padStart(2, "0")).join("")}`;
}

/** Return unique labels: runs that share a name get their id appended. */
function uniqueLabels(runs: readonly RunHeader[]): Map<number, string> {
  const taken = new Map<string, number>();
  for (const { name } of runs) taken.set(name, (taken.get(name) ?? 0) + 1);
  return new Map(
    runs.map(({ key, name, id }) => [key, (taken.get(name) as number) > 1 ? `${name} (${id})` : name]),
  );
}

/** Return the newest running run, or else the newest run. */
export function currentRun(runs: readonly RunHeader[]): RunHeader | undefined {
  const sorted = [...runs].sort((a, b) => a.started - b.started || a.key - b.key);
  const own = sorted.filter(run => !run.faded);
  return own.findLast(run => run.state === "running") ?? own.at(-1) ?? sorted.at(-1);
}

/** Sort runs for drawing: faded ones first, the current one last, on top. */
export function drawingOrder(runs: readonly RunHeader[]): RunHeader[] {
  const current = currentRun(runs);
  const rank = (run: RunHeader) => (run.faded ? 0 : run === current ? 2 : 1);
  return [...runs].sort((a, b) => rank(a) - rank(b) || a.key - b.key);
}
