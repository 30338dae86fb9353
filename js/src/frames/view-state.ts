import settings from "../../../src/trackbook/boards/view_settings.json";
import { type HostModel, onTraitChange } from "./host-model.ts";

type Settings = typeof settings;
type ValueOf<Setting> = Setting extends { choices: infer Choices }
  ? keyof Choices
  : Setting extends { lists: unknown }
    ? Record<string, string[]>
    : Setting extends { numbers: unknown }
      ? Record<string, (number | null)[]>
      : Setting extends { default: infer Default }
        ? Default extends boolean | number | string
          ? Default
          : Default extends readonly unknown[]
            ? string[]
            : Record<string, string>
        : never;

/**
 * The view settings: traits that kernel and browser both set. `src/trackbook/boards/view_settings.json` declares them, and
 * `view_state.py` beside it says what its fields mean.
 */
export type ViewTraits = { [Name in keyof Settings]: ValueOf<Settings[Name]> };
export type SettingName = keyof Settings;

export interface Setting {
  default: unknown;
  /** Of those in the View menu. */
  help?: string;
  label?: string;
  choices?: Record<string, string>;
  range?: number[];
  unit?: string;
  lists?: boolean;
  numbers?: boolean;
  open?: boolean;
  pattern?: string;
  form?: string;
  options?: Record<string, string>;
  menu?: boolean;
  reset?: boolean;
  chart?: boolean;
  once?: boolean;
}
export const SETTINGS: Readonly<Record<SettingName, Setting>> = settings;

/** `step`, `relative` (seconds since the run's start), `time` (clock time), or the name of a metric. */
export type XAxis = "step" | "relative" | "time" | (string & {});
export type ScaleType = ViewTraits["x_scale"];

/** Of the dicts that `board.view()` gives and takes; `VERSION` in `view_state.py`. */
export const VIEW_VERSION = 1;

const NAMES = Object.keys(settings) as SettingName[];
const CHART_OPTIONS = NAMES.filter(name => SETTINGS[name].chart);
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
    return (
      (this.#model.get(name) as ViewTraits[Name] | undefined) ?? (settings[name].default as ViewTraits[Name])
    );
  }

  /** The settings that are parameters of the charts. */
  get chartOptions(): Record<string, unknown> {
    return Object.fromEntries(CHART_OPTIONS.map(name => [name, this.get(name)]));
  }

  /** Set a trait. All views of the model change at once; the kernel is told when changes pause. */
  set<Name extends keyof ViewTraits>(name: Name, value: ViewTraits[Name]) {
    this.#model.set(name, value);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), SAVE_AFTER);
  }

  toggle(name: "hidden_runs" | "pinned" | "pinned_columns", item: string) {
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
