import palette from "../../src/trackbook/specs/palette.json";
import type { RunHeader } from "./protocol.ts";
import type { Styled } from "./rows.ts";
import type { Theme } from "./theme.ts";

/**
 * Ten colours that stay apart with protanopia, deuteranopia and tritanopia (found by annealing the least OKLab distance
 * under Machado's simulation; `palette.test.ts` measures it) and are at least 3:1 against the background. `ink` is the
 * same hue at 4.5:1, for text.
 */
export const PALETTE = palette;

/** How each run is drawn, by key. */
export function styleRuns(runs: readonly RunHeader[], theme: Theme): Map<number, Styled> {
  const { line, ink, faded } = PALETTE[theme];
  const labels = uniqueLabels(runs);
  const style = (run: RunHeader): Styled => {
    const hue = run.key % line.length;
    const colors = run.faded ? { color: faded.line, ink: faded.ink } : { color: line[hue], ink: ink[hue] };
    const dash = palette.dashes[Math.floor(run.key / line.length) % palette.dashes.length];
    return { run, label: labels.get(run.key) as string, dash: run.faded ? [] : dash, ...colors };
  };
  return new Map(runs.map(run => [run.key, style(run)]));
}

/** Names may repeat; a run whose name is taken gets its id behind it. */
function uniqueLabels(runs: readonly RunHeader[]): Map<number, string> {
  const taken = new Map<string, number>();
  for (const { name } of runs) taken.set(name, (taken.get(name) ?? 0) + 1);
  return new Map(
    runs.map(({ key, name, id }) => [key, (taken.get(name) as number) > 1 ? `${name} (${id})` : name]),
  );
}

/** The run the board is about: the newest that is running, else the newest. */
export function currentRun(runs: readonly RunHeader[]): RunHeader | undefined {
  const own = runs.filter(run => !run.faded);
  return own.findLast(run => run.state === "running") ?? own.at(-1) ?? runs.at(-1);
}

/** Faded runs behind, the current one on top. */
export function drawingOrder(runs: readonly RunHeader[]): RunHeader[] {
  const current = currentRun(runs);
  const rank = (run: RunHeader) => (run.faded ? 0 : run === current ? 2 : 1);
  return [...runs].sort((a, b) => rank(a) - rank(b) || a.key - b.key);
}
