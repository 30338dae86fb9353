import type { RunHeader } from "../frames/protocol.ts";
import type { Requests } from "../frames/requests.ts";
import { NoAnswer } from "../frames/requests.ts";
import { goalOf } from "../plot/chart-options.ts";
import { formatConfigValue } from "../runs/columns.ts";
import { shortName } from "../ui/cut-name.ts";
import { h, setText } from "../ui/dom.ts";
import { formatChange, formatValue } from "../ui/format.ts";

type Figures = readonly [last: number | null, min: number | null, max: number | null];
type Pair = readonly [name: string, earlier: string | null, now: string | null];

/** The answer to the question `changes`; `src/trackbook/boards/run_changes.py` documents it. */
export interface Changes {
  against: { id: string; name: string } | null;
  /** Whether the baseline that was asked for is no longer in the project. */
  lost?: boolean;
  config: readonly Pair[];
  packages: readonly Pair[];
  code: readonly string[];
  metrics: readonly (readonly [name: string, earlier: Figures | null, now: Figures | null])[];
  unknown: readonly string[];
}

type GoalOf = (metric: string) => ReturnType<typeof goalOf>;

const LOST = "The baseline was deleted.";
const LONGEST_VALUE = 32; // letters of a setting in the line
const SHOWN = 3; // changes of the config in the line
const FIRST = 1000; // ms until a running run is compared again, then twice as long each time
const LONGEST = 10_000;

/** A card about what changed between the current run and the one before it: a line, which opens to tables. */
export class RunChanges {
  readonly element = h("details", { class: "tb-changes", hidden: "" });
  #line = h("summary");
  #tables = h("div", { class: "tb-changes-tables" });
  #requests: Requests;
  #asked: { run: string; against: string; state: string } | null = null;
  #waiting = false;
  #answeredAt = 0;
  #rest = FIRST;
  #changes: Changes | null = null; // the newest answer
  #goal: GoalOf = () => null;

  constructor(requests: Requests, signal: AbortSignal) {
    this.#requests = requests;
    this.element.append(this.#line, this.#tables);
    this.element.addEventListener("toggle", () => this.#open(), { signal });
  }

  /**
   * Show the changes of this run since the `baseline`, else since the run before it. They are asked for again when it has
   * ended, and every few seconds while it trains, more often at first, then only the metrics if the rest is known.
   */
  update(run: Pick<RunHeader, "id" | "state" | "goals"> | null, baseline: string) {
    if (!run || run.id === baseline) {
      this.#asked = this.#changes = null;
      this.element.hidden = true;
      return;
    }
    const asked = { run: run.id, against: baseline, state: run.state };
    const isRested = performance.now() - this.#answeredAt >= this.#rest;
    const isDue = run.state === "running" && !this.#waiting && isRested;
    const isOther = JSON.stringify(asked) !== JSON.stringify(this.#asked);
    if (!isDue && !isOther) return;
    this.#rest = isOther ? FIRST : Math.min(2 * this.#rest, LONGEST);
    this.#asked = asked;
    this.#goal = metric => goalOf(metric, [run]);
    void this.#ask(asked, isOther ? null : this.#changes);
  }

  #open() {
    if (this.element.open && this.#asked) void this.#ask(this.#asked, null);
  }

  /** Ask, and of what is `known` already only for the metrics. */
  async #ask({ run, against }: { run: string; against: string }, known: Changes | null) {
    const fields =
      known?.against && !known.unknown.length
        ? { run, against: known.against.id, metrics_only: true }
        : { run, against };
    this.#waiting = true;
    try {
      const { content } = await this.#requests.ask("changes", fields);
      const isAsked = this.#asked?.run === run && this.#asked.against === against;
      const changes = content as unknown as Changes;
      if (isAsked) this.#show("against" in content ? changes : { ...(known as Changes), ...changes });
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error; // a saved page, or a run that was deleted: no card
      this.element.hidden = true;
      this.#changes = null;
    } finally {
      this.#waiting = false;
      this.#answeredAt = performance.now();
    }
  }

  #show(changes: Changes) {
    if (JSON.stringify(changes) === JSON.stringify(this.#changes)) return; // a redraw loses the reader's selection
    this.#changes = changes;
    const { against, lost } = changes;
    this.element.hidden = !against && !lost;
    const since = against
      ? [`Since ${against.name}: ${wordsOf(changes, this.#goal).join(" · ") || "nothing changed"}`]
      : [];
    setText(this.#line, [...(lost ? [LOST] : []), ...since].join(" "));
    if (!against) return this.#tables.replaceChildren();
    this.#tables.replaceChildren(
      ...table("Config", changes.config),
      ...table("Packages", changes.packages),
      ...metricTable(changes.metrics, this.#goal),
      ...codeBlock(changes.code),
    );
  }
}

/** Return the changes in a few words: config, code, packages, and the first metric that has a goal. */
export function wordsOf({ config, code, packages, metrics }: Changes, goal: GoalOf): string[] {
  const words = config
    .slice(0, SHOWN)
    .map(([name, earlier, now]) => `${name} ${shortened([earlier ?? "–", now ?? "–"]).join(" → ")}`);
  if (config.length > SHOWN) words.push(`${config.length - SHOWN} more in config`);
  const [added, removed] = ["+", "-"].map(sign =>
    code.filter(line => line[0] === sign && !line.startsWith(sign.repeat(3))),
  );
  if (added.length + removed.length) words.push(`code +${added.length} −${removed.length} lines`);
  if (packages.length)
    words.push(packages.length === 1 ? `package ${packages[0][0]}` : `${packages.length} packages`);
  for (const [name, earlier, now] of metrics) {
    const [before, after] = [bestOf(goal(name), earlier), bestOf(goal(name), now)];
    if (before === null || after === null) continue;
    words.push(`best ${name} ${formatValue(before)} → ${formatValue(after)}`);
    break;
  }
  return words;
}

/** Return settings with the usual digits of their numbers and without the middle of texts; as they are if only what is left out tells them apart. */
function shortened(texts: readonly string[]): readonly string[] {
  const short = texts.map(text =>
    /^-?\d+\.\d+(e[-+]?\d+)?$/.test(text) ? formatConfigValue(Number(text)) : text,
  );
  const shown = new Set(short).size === new Set(texts).size ? short : texts;
  const cut = shown.map(text => shortName(text, LONGEST_VALUE));
  return new Set(cut).size === new Set(shown).size ? cut : shown;
}

/** Return the best value by the metric's goal; null without a goal or a value. */
function bestOf(goal: ReturnType<GoalOf>, figures: Figures | null): number | null {
  return goal && figures ? figures[goal === "min" ? 1 : 2] : null;
}

function table(title: string, pairs: readonly Pair[]): HTMLElement[] {
  if (!pairs.length) return [];
  const rows = pairs.map(([name, earlier, now]) => row([name, earlier ?? "–", now ?? "–"]));
  return [h("table", {}, h("thead", {}, row([title, "earlier", "now"], "th")), h("tbody", {}, ...rows))];
}

function metricTable(metrics: Changes["metrics"], goalOf: GoalOf): HTMLElement[] {
  if (!metrics.length) return [];
  const rows = metrics.map(([name, earlier, now]) => {
    const goal = goalOf(name);
    const last = difference(goal, earlier?.[0] ?? null, now?.[0] ?? null);
    return row([name, ...last, ...difference(goal, bestOf(goal, earlier), bestOf(goal, now))]);
  });
  const head = row(["Metric", "last", "now", "change", "best", "now", "change"], "th");
  return [h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows))];
}

/** Return two values and their difference, in the color of better or worse. */
function difference(
  goal: ReturnType<GoalOf>,
  earlier: number | null,
  now: number | null,
): (string | HTMLElement)[] {
  const texts = [earlier, now].map(value => (value === null ? "" : formatValue(value)));
  if (earlier === null || now === null) return [...texts, ""];
  const change = now - earlier;
  const better = change === 0 || !goal ? "" : change > 0 === (goal === "max") ? "better" : "worse";
  return [...texts, h("span", { "data-change": better }, formatChange(change))];
}

function row(cells: readonly (string | HTMLElement)[], tag: "td" | "th" = "td"): HTMLElement {
  return h("tr", {}, ...cells.map(cell => h(tag, {}, cell)));
}

function codeBlock(lines: readonly string[]): HTMLElement[] {
  if (!lines.length) return [];
  return [
    h(
      "pre",
      { class: "tb-mono" },
      ...lines.map(line => h("span", { "data-sign": line[0] ?? " " }, `${line}\n`)),
    ),
  ];
}
