const PREFIXES = ["", "k", "M", "G", "T"];

/** Format to about four significant digits, with a width that stays stable from frame to frame. */
export function formatValue(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e15 || size < 1e-3) return minus(value.toExponential(3).replace("e+", "e"));
  if (Number.isInteger(value) && size < 1e5) return minus(String(value));
  let power = 0;
  let scaled = value;
  while (Math.abs(scaled) >= (power ? 999.95 : 9999.5) && power < PREFIXES.length - 1) {
    scaled = value / 1000 ** ++power;
  }
  return minus(scaled.toPrecision(4)) + PREFIXES[power];
}

/**
 * Format a value beside an axis whose ticks are `step` apart: to a hundredth of that, or to three significant digits of a value
 * that is not nearly zero on the axis.
 */
export function formatOnAxis(value: number, step: number): string {
  const size = Math.abs(value);
  const decimals = (of: number, digits: number) => Math.max(0, digits - 1 - Math.floor(Math.log10(of)));
  if (!Number.isFinite(value) || !(step > 1e-9) || value === 0) return formatValue(value);
  if (size >= 1e4 && size < 1e12 && step < size * 1e-4) {
    const digits = Math.min(6, decimals(step, 1));
    return minus(
      value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }),
    );
  }
  if (size >= 1e4) return formatValue(value).replace(isRound(value) ? /\.?0+(?=[kMGT])/ : "", "");
  if (step < 1e-4 || Number.isInteger(value)) return formatValue(value);
  const seen = size < step / 1000 ? decimals(step, 3) : Math.max(decimals(step, 3), decimals(size, 3));
  return minus(value.toFixed(Math.min(seen, 8)));
}

function isRound(value: number): boolean {
  return Number(value.toPrecision(4)) === value;
}

export function formatCount(count: number): string {
  return count.toLocaleString("en-US", { maximumFractionDigits: 0 });
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

function minus(text: string): string {
  return text.replace(/^-/, "−");
}
