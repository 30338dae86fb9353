import type { RunHeader } from "../frames/protocol.ts";
import type { RunStyle } from "../plot/plot-rows.ts";
import { durationOf, STATE_HELP } from "../runs/run-state.ts";
import { setName } from "../ui/cut-name.ts";
import { h, setText } from "../ui/dom.ts";
import { formatAgo, formatCount, formatDuration, formatRate } from "../ui/format.ts";

const RECENT = 10; // seconds

/** The state of the kernel that writes the current run. */
export interface KernelState {
  /** When the kernel became idle, in seconds UTC; null while it runs a cell. */
  idleSince: number | null;
  /** A text instead of the run's state while the kernel is silent; empty otherwise. */
  gone: string;
  /** When the last points of its runs were uploaded, in seconds UTC, and how many are left; null without an upload. */
  synced: { at: number | null; left: number } | null;
}

/** Shows the project, the current run, its state, and its progress. */
export class Header {
  readonly element = h("div", { class: "tb-status" });
  #project = h("span", { class: "tb-project" });
  #dot = h("span", { class: "tb-dot", "aria-hidden": "true" });
  #name = h("span", { class: "tb-run-name" });
  #run = h("span", { class: "tb-current" }, this.#dot, this.#name);
  #state = h("span", { class: "tb-state" });
  #elapsed = h("span", { class: "tb-number", title: "Time since the run started" });
  #steps = h("span", { class: "tb-number" });
  #rate = h("span", { class: "tb-number tb-minor" });
  #synced = h("span", { class: "tb-minor" });
  #bar = h(
    "div",
    { class: "tb-progress", role: "progressbar", "aria-label": "Progress", hidden: "" },
    h("div"),
  );
  #current: RunHeader | null = null;
  #kernel: KernelState = { idleSince: null, gone: "", synced: null };
  #now: () => number = () => 0;

  /** `stop` is placed beside the current run. */
  constructor(stop: Element) {
    this.element.append(
      this.#project,
      this.#run,
      this.#state,
      stop,
      h("div", { class: "tb-facts" }, this.#elapsed, this.#steps, this.#rate, this.#synced),
      this.#bar,
    );
  }

  /**
   * `now` returns the kernel's time in seconds. `alone`: whether this is the only run, so that there is no legend.
   */
  update(
    project: string,
    style: RunStyle | undefined,
    alone: boolean,
    now: () => number,
    kernel: KernelState,
  ) {
    this.#kernel = kernel;
    setText(this.#project, project);
    this.#project.title = project;
    this.#current = style?.run ?? null;
    this.#now = now;
    for (const part of [this.#run, this.#state, this.#elapsed, this.#steps, this.#rate]) part.hidden = !style;
    if (style) this.#showRun(style, alone);
    this.tick();
  }

  /** Update the elapsed time, and how long ago points were uploaded. */
  tick() {
    const run = this.#current;
    const { idleSince, synced } = this.#kernel;
    setText(this.#synced, synced ? syncedWords(synced, this.#now()) : "");
    if (!run) return;
    const duration = durationOf(run, idleSince ?? this.#now());
    setText(this.#elapsed, duration === undefined ? "" : formatDuration(duration));
  }

  #showRun({ run, label, color }: RunStyle, alone: boolean) {
    this.#run.classList.toggle("tb-run", alone);
    if (alone) this.#run.dataset.run = run.id;
    else delete this.#run.dataset.run;
    this.#dot.style.background = color;
    setName(this.#name, label);
    this.#run.title = label;
    const { text, name, title } = this.#stateOf(run);
    setText(this.#state, text);
    this.#state.dataset.state = name;
    this.#state.title = title;
    this.#showProgress(run);
  }

  #stateOf({ state, error }: RunHeader) {
    const { idleSince, gone } = this.#kernel;
    if (state !== "running") return { text: state, name: state, title: error ?? STATE_HELP[state] };
    if (gone)
      return { text: gone, name: "gone", title: "The state that the run was left in is not known here." };
    if (idleSince === null) return { text: state, name: state, title: STATE_HELP[state] };
    const time = new Date(1000 * idleSince).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    return { text: `idle since ${time}`, name: "idle", title: "The run is open, and no cell is running." };
  }

  #showProgress({ done, total, rate, state }: RunHeader) {
    const steps = total ? `${formatCount(done)} / ${formatCount(total)}` : formatCount(done);
    setText(this.#steps, `${steps} ${done === 1 && !total ? "step" : "steps"}`);
    const still = this.#kernel.gone || this.#kernel.idleSince !== null;
    const moving = state === "running" && !still && rate !== null && rate > 0;
    const left = moving && total ? ` · ${formatDuration((total - done) / rate)} left` : "";
    setText(this.#rate, moving ? formatRate(rate) + left : "");
    const share = total ? Math.min(1, done / total) : 0;
    this.#bar.hidden = !total || state !== "running";
    this.#bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    (this.#bar.firstElementChild as HTMLElement).style.width = `${share * 100}%`;
  }
}

/** A live run always has points that are left, so that these count only when the last batch was a while ago. */
function syncedWords({ at, left }: { at: number | null; left: number }, now: number): string {
  const passed = Math.max(0, Math.floor(now - (at ?? now)));
  if (at === null || (left && passed >= RECENT)) return `${formatCount(left)} points to upload`;
  return `synced ${passed < 60 ? `${passed} s ago` : formatAgo(passed)}`;
}
