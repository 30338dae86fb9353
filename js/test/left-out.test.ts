import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
const read = (path: string) => readFileSync(resolve(ROOT, path), "utf8");
const leftOut: string[] = JSON.parse(read("left-out.json"));
const typesIn = (code: string) => [...code.matchAll(/type: ?['"](\w+)['"]/g)].map(([, type]) => type);

test.each(leftOut)("Vega-Lite uses no transform of %s", async name => {
  const types = Object.keys(await import(name)).map(type => type.toLowerCase());
  expect(types).not.toEqual([]);
  const used = typesIn(read("node_modules/vega-lite/build/index.js"));
  expect(used).toContain("regression");
  expect(types.filter(type => used.includes(type))).toEqual([]);
});
