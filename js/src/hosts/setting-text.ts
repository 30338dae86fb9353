/** View settings as text in the address of a page. `src/trackbook/boards/view_settings.json` declares the settings. */
import { SETTINGS, type SettingName } from "../frames/view-state.ts";

/** The settings that an address can have: all but mappings. */
export const SETTINGS_IN_URLS = (Object.keys(SETTINGS) as SettingName[]).filter(name => {
  const usual = SETTINGS[name].default;
  return typeof usual !== "object" || Array.isArray(usual);
});

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
  return text || !usual ? { value: text } : { note: `${name} has no value` };
}

export function formatSetting(value: unknown): string {
  return Array.isArray(value) ? joinList(value) : String(value);
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
  const items = text.match(/(?:\\.|[^,\\])+/gsu) ?? [];
  return items.map(item => item.trimStart().replace(/\\(.)/gsu, "$1")).filter(Boolean);
}

export function joinList(items: readonly string[]): string {
  return items.map(item => item.replace(/[\\,]|^\s/gu, "\\$&")).join(",");
}
