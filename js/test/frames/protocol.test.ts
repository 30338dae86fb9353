import { expect, test } from "vitest";
import { decodeFrame } from "../../src/frames/protocol.ts";
import { frame } from "../fixtures.ts";

const numbers = (trait: unknown) => [...new Float64Array(decodeFrame(trait)?.data ?? new ArrayBuffer(0))];
const bytes = (...values: number[]) => new Uint8Array(Float64Array.from(values).buffer);

test("an empty trait is not a frame", () => {
  for (const trait of [undefined, null, {}, { header: {}, data: new DataView(new ArrayBuffer(0)) }]) {
    expect(decodeFrame(trait)).toBeNull();
  }
});

test("a DataView may start at any byte", () => {
  const shifted = new Uint8Array(19);
  shifted.set(bytes(1.5, Number.NaN), 3);
  const { header } = frame([]);
  expect(numbers({ header, data: new DataView(shifted.buffer, 3) })).toEqual([1.5, Number.NaN]);
});

test("an ArrayBuffer and a typed array are accepted", () => {
  const { header } = frame([]);
  expect(numbers({ header, data: bytes(2).buffer })).toEqual([2]);
  expect(numbers({ header, data: bytes(3) })).toEqual([3]);
});

test("an empty or missing buffer decodes to a frame without numbers", () => {
  const { header } = frame([]);
  for (const data of [new DataView(new ArrayBuffer(0)), new ArrayBuffer(0), undefined]) {
    expect(decodeFrame({ header, data })?.data.byteLength).toBe(0);
  }
});

test("decoded data are a copy of the message's memory", () => {
  const source = bytes(1);
  const decoded = decodeFrame({ header: frame([]).header, data: source });
  source.fill(0);
  expect(new Float64Array(decoded?.data as ArrayBuffer)[0]).toBe(1);
});
