import { listen, type Model } from "./hosts/model.ts";

export type XAxis = "step" | "relative" | "time";

/** How one looks at the board: traits that kernel and browser both set. */
export interface ViewTraits {
  smoothing: number;
  x_axis: XAxis;
  metric_filter: string;
  hidden_runs: string[];
  collapsed: string[];
}

const DEFAULTS: ViewTraits = {
  smoothing: 0,
  x_axis: "step",
  metric_filter: "",
  hidden_runs: [],
  collapsed: [],
};
const NAMES = Object.keys(DEFAULTS) as (keyof ViewTraits)[];
const SAVE_AFTER = 100; // ms without another change

export class ViewState {
  #model: Model;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(model: Model, onChange: () => void, signal: AbortSignal) {
    this.#model = model;
    listen(model, NAMES, onChange, signal);
    signal.addEventListener("abort", () => this.#flush());
  }

  get<Name extends keyof ViewTraits>(name: Name): ViewTraits[Name] {
    return (this.#model.get(name) as ViewTraits[Name] | undefined) ?? DEFAULTS[name];
  }

  /** Takes effect at once, in every view of the model; the kernel hears of it when the hand rests. */
  set<Name extends keyof ViewTraits>(name: Name, value: ViewTraits[Name]) {
    this.#model.set(name, value);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#flush(), SAVE_AFTER);
  }

  toggle(name: "hidden_runs" | "collapsed", item: string) {
    const items = this.get(name);
    this.set(name, items.includes(item) ? items.filter(other => other !== item) : [...items, item]);
  }

  #flush() {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#model.save_changes();
  }
}
