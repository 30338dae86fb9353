import { format } from "d3-format";

const rounded = format(".4r");
const prefixed = format(".4s");
const prefixedShort = format(".4~s");
const scientific = format(".3e");
const integer = format("d");
const grouped = format(",.0f");
const PREFIXLESS = 1e15; // from here on prefixes of units are not known to everybody
const FLOAT32_DIGITS = 7; // values may have come as such numbers

/** Format to about four significant digits, with a width that stays stable from frame to frame. */
export function formatValue(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= PREFIXLESS || size < 1e-3) return scientific(value).replace("e+", "e");
  if (Number.isInteger(value) && size < 1e5) return integer(value);
  return size < 9999.5 ? rounded(value) : prefixed(value);
}

/** Format a difference, with its sign; its size like a value, or by `format`. */
export function formatChange(change: number, format = formatValue): string {
  return change === 0 ? "=" : `${change > 0 ? "+" : "−"}${format(Math.abs(change))}`;
}

/**
 * Format a value beside an axis whose ticks are `step` apart: to a hundredth of that, or to three significant digits of a value
 * that is small on the axis, as the last learning rates are, but without more digits than it has. What is left of a zero by
 * rounding is zero.
 */
export function formatOnAxis(value: number, step: number): string {
  const text = onAxis(value, step);
  const short = withoutZeros(text);
  const shown = Number(short.replaceAll(",", "").replace("−", "-"));
  return shown === Number(value.toPrecision(FLOAT32_DIGITS)) ? short : text;
}

function onAxis(value: number, step: number): string {
  const size = Math.abs(value);
  const decimals = (of: number, digits: number) => Math.max(0, digits - 1 - Math.floor(Math.log10(of)));
  // d3 drops the sign of a value that rounds to 0
  const fixed = (specifier: string) => (value < 0 ? "−" : "") + format(specifier)(size);
  if (!Number.isFinite(value) || !(step > 1e-9) || value === 0) return formatValue(value);
  if (size >= 1e4 && size < 1e12 && step < size * 1e-4) return fixed(`,.${Math.min(6, decimals(step, 1))}f`);
  if (size >= 1e4) return isRound(value) && size < PREFIXLESS ? prefixedShort(value) : formatValue(value);
  if (step < 1e-4 || Number.isInteger(value)) return formatValue(value);
  if (size < Math.min(step, 1) * 1e-9) return "0";
  if (size < step / 1000) return fixed(size < 1e-3 ? ".2e" : ".3r");
  return fixed(`.${Math.min(Math.max(decimals(step, 3), decimals(size, 3)), 8)}f`);
}

function isRound(value: number): boolean {
  return Number(value.toPrecision(4)) === value;
}

/** Format a value that stands alone: without the zeros that keep columns of values aligned. */
export function formatAlone(value: number): string {
  return withoutZeros(formatValue(value));
}

/** Format a value of a table of data: as it was logged, to the digits that a float of 32 bits has, and never by a prefix. */
export function formatWhole(value: number): string {
  if (!Number.isFinite(value)) return formatValue(value);
  const isLong = !Number.isInteger(value) && Math.abs(value) < 1e6;
  const shown = isLong ? value.toPrecision(FLOAT32_DIGITS) : value.toFixed(1);
  return String(Math.abs(value) < PREFIXLESS ? Number(shown) : value)
    .replace(/^-/, "−")
    .replace("e+", "e");
}

function withoutZeros(text: string): string {
  return text.replace(/(\.\d*?)0+(?=e|[kMGT]?$)/, "$1").replace(/\.(?=e|[kMGT]?$)/, "");
}

export function formatCount(count: number): string {
  return grouped(count);
}

/** Format as 0:05, 12:30, 1:05:00 or 3d 4h. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes] = [
    Math.floor(whole / 86400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days) return `${days}d ${hours}h`;
  const tail = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** Format how long ago something was, in one unit: "3 h ago". */
export function formatAgo(seconds: number): string {
  const [size, unit] = seconds < 3600 ? [60, "min"] : seconds < 2 * 86400 ? [3600, "h"] : [86400, "days"];
  return `${Math.max(1, Math.floor(seconds / size))} ${unit} ago`;
}

export function formatRate(rate: number): string {
  if (rate >= 100) return `${formatCount(rate)}/s`;
  if (rate >= 1) return `${rate.toPrecision(3)}/s`;
  return rate * 60 >= 1 ? `${(rate * 60).toPrecision(3)}/min` : `${(rate * 3600).toPrecision(3)}/h`;
}

export function formatClock(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime())
    ? "–"
    : date.toLocaleString(undefined, {
        month: "short",
        day: "numeric",
        hour: "2-digit",
        minute: "2-digit",
        second: "2-digit",
      });
}
