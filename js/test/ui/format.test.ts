import { expect, test } from "vitest";
import { formatDuration, formatRate, formatValue } from "../../src/ui/format.ts";

test.each([
  [0, "0"],
  [-0, "0"],
  [0.12345, "0.1235"],
  [0.9, "0.9000"],
  [0.012345, "0.01235"],
  [1.5, "1.500"],
  [-2.34567, "−2.346"],
  [12.3456, "12.35"],
  [42, "42"],
  [12345, "12345"],
  [9999.9, "10.00k"],
  [123456, "123.5k"],
  [999999, "1.000M"],
  [-2.99e9, "−2.990G"],
  [0.00012346, "1.235e-4"],
  [1e20, "1.000e20"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "∞"],
  [Number.NEGATIVE_INFINITY, "−∞"],
])("%d is formatted as %s", (value, text) => {
  expect(formatValue(value)).toBe(text);
});

test.each([
  [0, "0:00"],
  [-3, "0:00"],
  [65.9, "1:05"],
  [3600, "1:00:00"],
  [7325, "2:02:05"],
  [90000, "1d 1h"],
])("%d seconds are formatted as %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test.each([
  [1234.4, "1,234/s"],
  [12.345, "12.3/s"],
  [0.5, "30.0/min"],
  [0.01, "36.0/h"],
])("a rate of %d is formatted as %s", (rate, text) => {
  expect(formatRate(rate)).toBe(text);
});
