/** The parameters of a page's address: what its board shows. `docs/pages.md` lists them for users. */
import { type HostModel, onTraitChange } from "../frames/host-model.ts";
import { storeOf } from "../frames/picture-store.ts";
import { decodeRunsTable, runEntries } from "../frames/runs-table.ts";
import { SETTINGS, type SettingName } from "../frames/view-state.ts";
import { ZoomState } from "../interact/zoom-state.ts";
import type { Range } from "../plot/series-window.ts";
import {
  formatSetting,
  isLong,
  parseFinite,
  parseSetting,
  SETTING_NAMES,
  splitList,
} from "./setting-text.ts";

const WRITE_AFTER = 400; // ms without another change; Safari allows 100 writes in 30 s
const LONGEST_SEARCH = 8000; // characters; servers refuse longer addresses
const FINEST_ZOOM = 1e-4; // of the zoomed range: where its ends are rounded

/** Parameters with a value that is one of a few, and that are about the page rather than the board. */
const PAGE_CHOICES = { sidebar: ["hidden", "collapsed"], navbar: ["hidden"], theme: ["light", "dark"] };
const OTHERS = ["project", "run", "runs", "xmin", "xmax", ...Object.keys(PAGE_CHOICES)];
const RUN_SETTINGS = ["hidden_runs", "selected_runs"] as const;

/** What the parameters said, beside the traits of the model. */
export interface Applied {
  project: string | null;
  run: string | null;
  /** Ids or names of the only runs to show; none: all. */
  runs: readonly string[];
  /** The zoom for the options of the board. */
  zoom: ZoomState;
  /** The settings as they are where no parameter names them. */
  usual: Map<SettingName, unknown>;
  /** The settings that a parameter names. */
  named: ReadonlyMap<SettingName, unknown>;
  /** Whether `runs` still waits for the runs to be known. */
  waiting: boolean;
}

/**
 * Set the traits of a model, and the look of its page, as the parameters say. Call this when the model has its traits,
 * before its board is made. What is ignored is listed once in the console; `known` are parameters of the host itself.
 */
export function applyParameters(
  model: HostModel,
  search: string | URLSearchParams,
  known: readonly string[] = [],
): Applied {
  const [parameters, notes] = [new URLSearchParams(search), [] as string[]];
  listUnknown(parameters, known, notes);
  const usual = new Map(SETTING_NAMES.map(name => [name, settingOf(model, name)]));
  const named = namedSettings(parameters, notes);
  const sidebar = showPage(parameters, notes);
  if (sidebar) usual.set("panel", "");
  if (sidebar === "hidden") named.delete("panel");
  if (named.has("shown_metrics")) usual.set("collapsed", []); // their groups are open
  const zoom = new ZoomState();
  const axis = String(named.get("x_axis") ?? usual.get("x_axis"));
  const range = zoomedRange(parameters, axis, notes);
  if (range) {
    zoom.share(axis, range);
    named.set("link_x", true);
  }
  const run = parameters.get("run");
  const runs = parameters.has("runs") ? listOf(parameters, "runs") : run ? [run] : [];
  const project = parameters.get("project");
  const applied = { project, run, runs, zoom, usual, named, waiting: runs.length > 0 };
  chooseRuns(model, applied, notes);
  for (const name of SETTING_NAMES) setTrait(model, name, named.get(name) ?? usual.get(name));
  model.save_changes();
  tell(notes);
  return applied;
}

/** Write the view into the address of the page as the reader changes it: what differs from the usual one. */
export function followView(model: HostModel, applied: Applied, signal: AbortSignal) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => writeView(model, applied), WRITE_AFTER);
  };
  onTraitChange(model, SETTING_NAMES, later, signal);
  applied.zoom.addEventListener("change", later, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer)); // the page may be at another address by now
  const choose = () => {
    const notes: string[] = [];
    if (!chooseRuns(model, applied, notes)) return;
    for (const name of RUN_SETTINGS)
      if (!applied.named.has(name)) setTrait(model, name, applied.usual.get(name));
    model.save_changes();
    tell(notes);
  };
  storeOf(model).subscribe(choose, signal);
  onTraitChange(model, ["table"], choose, signal);
}

// --- reading

const PARAMETER_OF: Partial<Record<SettingName, string>> = { shown_metrics: "metrics" };
const parameterOf = (name: SettingName) => PARAMETER_OF[name] ?? name;

function listUnknown(parameters: URLSearchParams, known: readonly string[], notes: string[]) {
  const all = new Set([...OTHERS, ...SETTING_NAMES.map(parameterOf), ...known]);
  for (const name of new Set(parameters.keys()))
    if (!all.has(name)) notes.push(`there is no parameter “${name}”`);
}

function listOf(parameters: URLSearchParams, name: string): string[] {
  return parameters.getAll(name).flatMap(splitList);
}

function namedSettings(parameters: URLSearchParams, notes: string[]): Map<SettingName, unknown> {
  const found = new Map<SettingName, unknown>();
  for (const name of SETTING_NAMES) {
    const texts = parameters.getAll(parameterOf(name));
    if (!texts.length) continue;
    const { value, note } = parseSetting(name, isLong(name) ? texts.join(",") : (texts.at(-1) as string));
    if (value !== undefined) found.set(name, value);
    if (note) notes.push(note);
  }
  return found;
}

/** Mark the page for the style sheets. Return what becomes of the sidebar. */
export function showPage(parameters: URLSearchParams, notes: string[] = []): string | undefined {
  const chosen: Record<string, string> = {};
  for (const [name, choices] of Object.entries(PAGE_CHOICES)) {
    const text = parameters.get(name);
    if (text === null) continue;
    if (choices.includes(text)) chosen[name] = text;
    else notes.push(`${name} is ${choices.map(choice => `“${choice}”`).join(" or ")}, not “${text}”`);
  }
  // `ui/theme.ts` looks at the theme; a page may have had another address before
  for (const [attribute, name] of [
    ["data-theme", "theme"],
    ["data-tb-navbar", "navbar"],
    ["data-tb-sidebar", "sidebar"],
  ])
    if (chosen[name]) document.documentElement.setAttribute(attribute, chosen[name]);
    else document.documentElement.removeAttribute(attribute);
  return chosen.sidebar;
}

/** Return the range that `xmin` and `xmax` are, in the unit of the charts' x; an end that is not given is infinite. */
function zoomedRange(parameters: URLSearchParams, axis: string, notes: string[]): Range | null {
  const endOf = (name: string, open: number) => {
    const text = parameters.get(name);
    const end = text === null ? open : parseFinite(text);
    if (end === null) notes.push(`${name} is a number, not “${text}”`);
    return (end ?? open) * unitOf(axis);
  };
  const [from, to] = [endOf("xmin", Number.NEGATIVE_INFINITY), endOf("xmax", Number.POSITIVE_INFINITY)];
  if (from >= to) notes.push("xmin is not less than xmax: both are ignored");
  return from < to && (Number.isFinite(from) || Number.isFinite(to)) ? [from, to] : null;
}

/** Charts count milliseconds where addresses have seconds. */
function unitOf(axis: unknown): number {
  return axis === "time" || axis === "relative" ? 1000 : 1;
}

/** Show `runs` alone once they are known. Return whether that was done now. */
function chooseRuns(model: HostModel, applied: Applied, notes: string[]): boolean {
  const { picture } = storeOf(model);
  if (!applied.waiting || !picture) return false;
  const table = decodeRunsTable(model.get("table"));
  const entries = runEntries(table, picture);
  const idOf = (name: string) =>
    (entries.find(({ id }) => id === name) ?? entries.findLast(run => run.name === name))?.id;
  const missing = applied.runs.filter(name => idOf(name) === undefined);
  if (missing.length && !table.runs.length) return false;
  applied.waiting = false;
  for (const name of missing) notes.push(`there is no run “${name}”`);
  const chosen = new Set(applied.runs.map(idOf).filter(id => id !== undefined));
  if (!chosen.size) return true;
  const drawn = picture.runs.map(({ id }) => id);
  applied.usual.set("hidden_runs", [...drawn.filter(id => !chosen.has(id))]);
  applied.usual.set(
    "selected_runs",
    [...chosen].filter(id => !drawn.includes(id)),
  );
  return true;
}

function settingOf(model: HostModel, name: SettingName): unknown {
  return model.get(name) ?? SETTINGS[name].default;
}

function setTrait(model: HostModel, name: SettingName, value: unknown) {
  if (!isSame(value, settingOf(model, name))) model.set(name, value);
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function tell(notes: readonly string[]) {
  if (notes.length) console.warn(`Trackbook, about the address of this page:\n- ${notes.join("\n- ")}`);
}

// --- writing

function writeView(model: HostModel, { usual, zoom }: Applied) {
  const parameters = new URLSearchParams(location.search);
  const put = (name: string, text: string | null) =>
    text === null ? parameters.delete(name) : parameters.set(name, text);
  for (const name of SETTING_NAMES) {
    const value = settingOf(model, name);
    put(parameterOf(name), isSame(value, usual.get(name)) ? null : formatSetting(value));
  }
  const axis = settingOf(model, "x_axis") as string;
  const ends = formatRange(zoom.shared(axis), unitOf(axis));
  for (const [i, name] of ["xmin", "xmax"].entries()) put(name, ends[i]);
  if (parameters.toString().length > LONGEST_SEARCH)
    for (const name of SETTING_NAMES) if (isLong(name)) parameters.delete(parameterOf(name));
  const text = parameters.toString().replace(/%2C|%2F|%3A/g, decodeURIComponent);
  const search = text && `?${text}`;
  if (search !== location.search) replaceAddress(`${location.pathname}${search}${location.hash}`);
}

/** A page in a frame without an address of its own, such as `srcdoc`, keeps the one that it has. */
function replaceAddress(address: string) {
  try {
    history.replaceState(history.state, "", address);
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "SecurityError") throw error;
    console.debug("Trackbook:", error);
  }
}

/** Return both ends of a range as short as they can be told apart; null for an open end. */
function formatRange(range: Range | null, unit: number): (string | null)[] {
  if (!range) return [null, null];
  const [from, to] = [range[0] / unit, range[1] / unit];
  const span = Number.isFinite(to - from) ? to - from : Math.abs(Number.isFinite(from) ? from : to) || 1;
  const digits = Math.min(Math.max(0, -Math.floor(Math.log10(span * FINEST_ZOOM))), 20);
  return [from, to].map(end => (Number.isFinite(end) ? String(Number(end.toFixed(digits))) : null));
}
