import type { RunHeader } from "../frames/protocol.ts";
import type { ViewState } from "../frames/view-state.ts";
import type { RunStyle } from "../plot/plot-rows.ts";
import type { ColorKey } from "../runs/color-by.ts";
import { STATE_ICON } from "../runs/run-state.ts";
import { setName } from "../ui/cut-name.ts";
import { h, setChildren, setText, swatch } from "../ui/dom.ts";
import { formatCount } from "../ui/format.ts";
import type { LegendValue } from "./legend-values.ts";

const MOST_CHIPS = 30;

/**
 * One chip per run: click hides or shows it, Alt-click or double-click shows only it. Of many runs the first have one, and
 * runs that the filter hides have none.
 */
export class Legend {
  readonly element = h("div", { class: "tb-legend", role: "group", "aria-label": "Runs" });
  #state: ViewState;
  #signal: AbortSignal;
  #chips = new Map<string, { chip: HTMLButtonElement; key: string }>();
  #runs: readonly RunHeader[] = [];
  #members: ReadonlyMap<string, readonly string[]> = new Map();
  #filteredOut: ReadonlySet<string> = new Set();
  #key = h("div", { class: "tb-color-key" });
  #keyShown = "";
  #more = h("button", { type: "button", class: "tb-run tb-minor", title: "All runs, in the panel" });

  constructor(state: ViewState, signal: AbortSignal) {
    [this.#state, this.#signal] = [state, signal];
    this.#more.addEventListener("click", () => state.set("panel", "runs"), { signal });
  }

  /** `members` lists the runs of each group, if groups are drawn. */
  update(
    styles: readonly RunStyle[],
    members: ReadonlyMap<string, readonly string[]> = new Map(),
    colorKey: ColorKey | null = null,
    bestOf: (style: RunStyle) => LegendValue | null = () => null,
    filteredOut: ReadonlySet<string> = new Set(),
  ) {
    [this.#members, this.#filteredOut] = [members, filteredOut];
    this.element.hidden = styles.length < 2;
    const hidden = new Set(this.#state.get("hidden_runs"));
    const isHidden = ({ run }: RunStyle) => this.#idsOf(run.id).every(id => hidden.has(id));
    const isLeftOut = (style: RunStyle) =>
      isHidden(style) && this.#idsOf(style.run.id).every(id => filteredOut.has(id));
    const own = filteredOut.size ? styles.filter(style => !isLeftOut(style)) : styles;
    this.#runs = own.map(({ run }) => run);
    const listed = own.length > MOST_CHIPS ? mostTelling(own, isHidden) : own;
    const chips = this.element.hidden
      ? []
      : listed.map(style => this.#chip(style, isHidden(style), bestOf(style)));
    setText(this.#more, `+${formatCount(own.length - listed.length)} more`);
    this.#showKey(colorKey);
    const key = colorKey ? [this.#key] : [];
    setChildren(this.element, [...key, ...chips, ...(listed.length < own.length ? [this.#more] : [])]);
  }

  /** Show what colours by a column mean. */
  #showKey(key: ColorKey | null) {
    const shown = JSON.stringify(key);
    if (!key || shown === this.#keyShown) return;
    this.#keyShown = shown;
    const ends = key.values.filter(({ text }) => text).map(({ text }) => h("span", {}, text));
    const ramp = h("span", { class: "tb-key-ramp" });
    ramp.style.background = `linear-gradient(to right, ${key.values.map(({ color }) => color).join(", ")})`;
    const values = key.values.map(({ text, color }) => {
      const sample = h("span", { class: "tb-key-value" });
      sample.append(swatch(color, []), text);
      return sample;
    });
    this.#key.replaceChildren(
      h("span", { class: "tb-minor" }, key.title),
      ...(key.isRamp ? [ends[0], ramp, ends[1]] : values),
    );
  }

  #chip(style: RunStyle, hidden: boolean, value: LegendValue | null): HTMLButtonElement {
    const { run, label, color, dash } = style;
    const chip = this.#chips.get(run.id)?.chip ?? this.#newChip(run.id);
    const isBaseline = this.#state.get("baseline") === run.id;
    const key = JSON.stringify([label, color, dash, run.state, run.faded, run.error, isBaseline, value]);
    if (this.#chips.get(run.id)?.key !== key) {
      const icon = ["running", "finished"].includes(run.state) ? [] : [stateIcon(run)];
      if (isBaseline) icon.push(h("span", { class: "tb-minor" }, "baseline"));
      if (value) icon.push(h("span", { class: "tb-minor tb-number", title: value.title }, value.text));
      const name = h("span", { class: "tb-run-name" });
      setName(name, label);
      chip.replaceChildren(swatch(color, dash), name, ...icon);
      chip.title = `${label}, ${run.state}${run.faded ? ", an earlier run" : ""}\nClick to hide or show, double-click to show only this run, Shift-click to compare the others with it.`;
      this.#chips.set(run.id, { chip, key });
    }
    chip.setAttribute("aria-pressed", String(!hidden));
    return chip;
  }

  #newChip(id: string): HTMLButtonElement {
    const chip = h("button", { type: "button", class: "tb-run", "data-run": id });
    const options = { signal: this.#signal };
    chip.addEventListener("click", event => this.#onClick(event, id), options);
    chip.addEventListener("dblclick", ({ altKey }) => altKey || this.#showOnly(id), options);
    return chip;
  }

  #onClick({ altKey, shiftKey }: MouseEvent, id: string) {
    if (shiftKey) this.#state.set("baseline", this.#state.get("baseline") === id ? "" : id);
    else if (altKey) this.#showOnly(id);
    else this.#toggle(id);
  }

  /** Return the runs of a chip; of a group those that the filter leaves, if it leaves any. */
  #idsOf(id: string): readonly string[] {
    const all = this.#members.get(id) ?? [id];
    const passing = all.filter(one => !this.#filteredOut.has(one));
    return passing.length ? passing : all;
  }

  #toggle(id: string) {
    const ids = this.#idsOf(id);
    const hidden = this.#state.get("hidden_runs");
    const others = hidden.filter(one => !ids.includes(one));
    this.#state.set("hidden_runs", ids.every(one => hidden.includes(one)) ? others : [...others, ...ids]);
  }

  #showOnly(id: string) {
    const others = this.#runs.flatMap(run => (run.id === id ? [] : this.#idsOf(run.id)));
    const hidden = new Set(this.#state.get("hidden_runs"));
    const already = !this.#idsOf(id).some(one => hidden.has(one)) && others.every(other => hidden.has(other));
    const kept = [...hidden].filter(one => this.#filteredOut.has(one));
    this.#state.set("hidden_runs", already ? kept : [...new Set([...kept, ...others])]);
  }
}

/** Return as many styles as have chips, in their order: those of runs that are not hidden, the newest of them. */
function mostTelling(styles: readonly RunStyle[], isHidden: (style: RunStyle) => boolean): RunStyle[] {
  const shown = styles.filter(style => !isHidden(style));
  const room = MOST_CHIPS - shown.length;
  const kept = new Set(
    room > 0 ? [...shown, ...styles.filter(isHidden).slice(-room)] : shown.slice(-MOST_CHIPS),
  );
  return styles.filter(style => kept.has(style));
}

function stateIcon({ state, error }: RunHeader): HTMLElement {
  const icon = h("span", { class: "tb-state", "data-state": state, title: error ?? state });
  setText(icon, STATE_ICON[state]);
  return icon;
}
