import type { RunHeader } from "../frames/protocol.ts";
import type { RunStyle } from "../plot/plot-rows.ts";
import { durationOf, STATE_HELP } from "../runs/run-state.ts";
import { h, setText } from "../ui/dom.ts";
import { formatCount, formatDuration, formatRate } from "../ui/format.ts";

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
  #bar = h(
    "div",
    { class: "tb-progress", role: "progressbar", "aria-label": "Progress", hidden: "" },
    h("div"),
  );
  #current: RunHeader | null = null;
  #now: () => number = () => 0;

  /** `stop` is placed beside the current run. */
  constructor(stop: Element) {
    this.element.append(
      this.#project,
      this.#run,
      this.#state,
      stop,
      this.#elapsed,
      this.#steps,
      this.#rate,
      this.#bar,
    );
  }

  /**
   * `now` returns the kernel's time in seconds. `alone`: whether this is the only run, so that there is no legend.
   */
  update(project: string, style: RunStyle | undefined, alone: boolean, now: () => number) {
    setText(this.#project, project);
    this.#project.title = project;
    this.#current = style?.run ?? null;
    this.#now = now;
    for (const part of [this.#run, this.#state, this.#elapsed, this.#steps, this.#rate]) part.hidden = !style;
    if (style) this.#showRun(style, alone);
    this.tick();
  }

  /** Update the elapsed time. */
  tick() {
    const run = this.#current;
    if (!run) return;
    const duration = durationOf(run, this.#now());
    setText(this.#elapsed, duration === undefined ? "" : formatDuration(duration));
  }

  #showRun({ run, label, color }: RunStyle, alone: boolean) {
    this.#run.classList.toggle("tb-run", alone);
    if (alone) this.#run.dataset.run = run.id;
    else delete this.#run.dataset.run;
    this.#dot.style.background = color;
    setText(this.#name, label);
    this.#run.title = label;
    setText(this.#state, run.state);
    this.#state.dataset.state = run.state;
    this.#state.title = run.error ?? STATE_HELP[run.state];
    this.#showProgress(run);
  }

  #showProgress({ done, total, rate, state }: RunHeader) {
    const steps = total ? `${formatCount(done)} / ${formatCount(total)}` : formatCount(done);
    setText(this.#steps, `${steps} ${done === 1 && !total ? "step" : "steps"}`);
    const moving = state === "running" && rate !== null && rate > 0;
    const left = moving && total ? ` · ${formatDuration((total - done) / rate)} left` : "";
    setText(this.#rate, moving ? formatRate(rate) + left : "");
    const share = total ? Math.min(1, done / total) : 0;
    this.#bar.hidden = !total || state !== "running";
    this.#bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    (this.#bar.firstElementChild as HTMLElement).style.width = `${share * 100}%`;
  }
}
