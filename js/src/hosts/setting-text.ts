/** View settings as text in the address of a page. `src/trackbook/boards/view_settings.json` declares the settings. */
import { SETTINGS, type SettingName } from "../frames/view-state.ts";

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

interface Parsed {
  /** Undefined where the text is no value of the setting. */
  value?: unknown;
  /** Why the text was changed or ignored. */
  note?: string;
}

export function parseSetting(name: SettingName, text: string): Parsed {
  const { default: usual, choices } = SETTINGS[name];
  if (choices) return Object.hasOwn(choices, text) ? { value: text } : not(name, text, Object.keys(choices));
  if (typeof usual === "number") return parseNumber(name, text);
  if (typeof usual === "boolean") return parseFlag(name, text);
  if (Array.isArray(usual)) return { value: splitList(text) };
  if (typeof usual === "object") return parseMapping(name, text);
  return text || !usual ? { value: text } : { note: `${name} has no value` };
}

export function formatSetting(value: unknown): string {
  if (Array.isArray(value)) return joinList(value);
  return typeof value === "object" ? joinMapping(value as Mapping) : String(value);
}

/** Whether a setting holds many items: a list, or a mapping. */
export function isLong(name: SettingName): boolean {
  return typeof SETTINGS[name].default === "object";
}

function parseNumber(name: SettingName, text: string): Parsed {
  const { default: usual, range: [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] } =
    SETTINGS[name];
  const number = parseFinite(text);
  if (number === null) return { note: `${name} is a number, not “${text}”` };
  if (number === usual) return { value: usual };
  const value = Math.round(Math.min(Math.max(number, low), high));
  return value === number
    ? { value }
    : { value, note: `${name} is a whole number from ${low} to ${high}, not ${text}: ${value} is used` };
}

function parseFlag(name: SettingName, text: string): Parsed {
  if (["true", "1"].includes(text)) return { value: true };
  if (["false", "0"].includes(text)) return { value: false };
  return not(name, text, ["true", "false"]);
}

function not(name: string, text: string, choices: readonly string[]): Parsed {
  const all = choices.map(choice => `“${choice}”`).join(" or ");
  return { note: `${name} is ${all}, not “${text}”` };
}

/** Return the number that a text is; null if it is none. */
export function parseFinite(text: string): number | null {
  const number = text.trim() ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : null;
}

/** Split at commas. A comma or a backslash within an item has a backslash before it. */
export function splitList(text: string): string[] {
  return splitAt(",", text)
    .map(item => plain(item.trimStart()))
    .filter(Boolean);
}

export function joinList(items: readonly string[]): string {
  return items.map(item => item.replace(/[\\,]|^\s/gu, "\\$&")).join(",");
}

type Mapping = Record<string, string | readonly (string | number | null)[]>;

/** Read entries like `name:value`, or `name:item:item` where a value is a list. Colons are escaped as commas are. */
function parseMapping(name: SettingName, text: string): Parsed {
  const [entries, wrong] = [[] as [string, unknown][], [] as string[]];
  for (const entry of splitAt(",", text)) {
    const [key, ...items] = splitAt(":", entry.trimStart()).map(plain);
    const value = entryOf(name, items);
    if (value !== undefined) entries.push([key, value]);
    else if (entry) wrong.push(`“${entry}”`);
  }
  const { form } = SETTINGS[name];
  const note = `${name} has entries like “${form}”, unlike ${wrong.join(", ")}`;
  return { value: Object.fromEntries(entries), ...(wrong.length && { note }) };
}

function entryOf(name: SettingName, items: readonly string[]): unknown {
  const { lists, numbers, open, pattern } = SETTINGS[name];
  if (lists) return items;
  if (!numbers) {
    const fits = items.length === 1 && new RegExp(`^(${pattern ?? ".*"})$`, "su").test(items[0]);
    return fits ? items[0] : undefined;
  }
  const found = items.map(parseFinite);
  if (found.some((number, i) => number === null && !(open && items[i] === ""))) return;
  return !open || isRange(found) ? found : undefined;
}

function isRange(ends: readonly (number | null)[]): boolean {
  const [low, high] = ends;
  const isOneGiven = (low ?? high ?? null) !== null;
  return ends.length === 2 && isOneGiven && (low ?? -Infinity) < (high ?? Infinity);
}

function joinMapping(mapping: Mapping): string {
  const escaped = (item: string | number | null) => String(item ?? "").replace(/[\\,:]|^\s/gu, "\\$&");
  const entries = Object.entries(mapping).map(([key, value]) => [key, value].flat().map(escaped));
  return entries.map(parts => parts.join(":")).join(",");
}

/** Split at a mark. What has a backslash before it is no mark; backslashes stay. */
function splitAt(mark: string, text: string): string[] {
  const parts = [""];
  for (const [piece] of text.matchAll(/\\?./gsu))
    if (piece === mark) parts.push("");
    else parts[parts.length - 1] += piece;
  return parts;
}

function plain(text: string): string {
  return text.replace(/\\(.)/gsu, "$1");
}
