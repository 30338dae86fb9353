import { expect, test } from "vitest";
import { formatAgo, formatDuration, formatOnAxis, formatRate, formatValue } from "../../src/ui/format.ts";

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

test.each([
  [-9.347e-5, 0.25, "−9.35e-5"],
  [-1.2e-16, 0.25, "0"],
  [0.625017, 1.8e11, "0.625"],
  [0.0034, 50, "0.0034"],
  [0.43672, 0.75, "0.437"],
  [0.0123456, 2.75, "0.0123"],
  [0.98333, 0.2, "0.983"],
  [12.3456, 5, "12.35"],
  [7, 2, "7"],
  [1_000_000.0005, 0.0005, "1,000,000.0005"],
  [8e6, 2e6, "8M"],
  [8_123_456, 2e6, "8.123M"],
  [1e30, 2e29, "1e30"],
  [-4e15, 1e15, "−4e15"],
  [3e-5, 1e-5, "3e-5"],
  [0.1, 0.002, "0.1"],
  [Math.fround(0.1), 0.002, "0.1"],
  [0.1000001, 0.002, "0.10000"],
  [-0.5, 0.01, "−0.5"],
  [1_000_000.5, 0.0005, "1,000,000.5000"],
  [Number.NaN, 1, "NaN"],
  [0.25, Number.NaN, "0.25"],
])("%d on an axis of ticks %d apart is %s", (value, step, text) => {
  expect(formatOnAxis(value, step)).toBe(text);
});

test.each([
  [0, "1 min ago"],
  [125, "2 min ago"],
  [3 * 3600 + 59, "3 h ago"],
  [47 * 3600, "47 h ago"],
  [86400 * 3.5, "3 days ago"],
])("%s seconds were %s", (seconds, text) => {
  expect(formatAgo(seconds)).toBe(text);
});
