import { SYSTEM_GROUP } from "../metrics.ts";
import { type HostModel, onTraitChange } from "./host-model.ts";

/** `step`, `relative` (seconds since the run's start), `time` (clock time), or the name of a metric. */
export type XAxis = "step" | "relative" | "time" | (string & {});
export type ScaleType = "linear" | "log";

/**
 * The view settings: traits that kernel and browser both set. `src/trackbook/boards/view_state.py` documents them.
 */
export interface ViewTraits {
  smoothing: number;
  smoothing_kind: "mean" | "exponential";
  x_axis: XAxis;
  x_scale: ScaleType;
  y_scale: ScaleType;
  clip_outliers: boolean;
  link_x: boolean;
  metric_filter: string;
  columns: number;
  chart_height: number;
  collapsed: string[];
  group_order: string[];
  hidden_runs: string[];
  selected_runs: string[];
  run_colors: Record<string, string>;
  group_by: string;
  band: "minmax" | "std" | "none";
  panel: "" | "runs" | "compare";
  run_filter: string;
  run_sort: string;
  run_columns: string[];
}

const DEFAULTS: ViewTraits = {
  smoothing: 0,
  smoothing_kind: "mean",
  x_axis: "step",
  x_scale: "linear",
  y_scale: "linear",
  clip_outliers: false,
  link_x: true,
  metric_filter: "",
  columns: 0,
  chart_height: 0,
  collapsed: [SYSTEM_GROUP],
  group_order: [],
  hidden_runs: [],
  selected_runs: [],
  run_colors: {},
  group_by: "",
  band: "minmax",
  panel: "",
  run_filter: "",
  run_sort: "",
  run_columns: [],
};
const NAMES = Object.keys(DEFAULTS) as (keyof ViewTraits)[];
const SAVE_AFTER = 100; // ms without another change

export class ViewState {
  #model: HostModel;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(model: HostModel, onChange: () => void, signal: AbortSignal) {
    this.#model = model;
    onTraitChange(model, NAMES, onChange, signal);
    signal.addEventListener("abort", () => this.#save());
  }

  get<Name extends keyof ViewTraits>(name: Name): ViewTraits[Name] {
    return (this.#model.get(name) as ViewTraits[Name] | undefined) ?? DEFAULTS[name];
  }

  /** Set a trait. All views of the model change at once; the kernel is told when changes pause. */
  set<Name extends keyof ViewTraits>(name: Name, value: ViewTraits[Name]) {
    this.#model.set(name, value);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), SAVE_AFTER);
  }

  toggle(name: "hidden_runs" | "selected_runs" | "collapsed", item: string) {
    const items = this.get(name);
    this.set(name, items.includes(item) ? items.filter(other => other !== item) : [...items, item]);
  }

  #save() {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#model.save_changes();
  }
}
