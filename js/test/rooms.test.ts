import { readdirSync, readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { expect, test } from "vitest";

/** From lowest to highest: a room may import from itself and from lower ones. */
const ROOMS = [
  "regexp.ts",
  "metrics.ts",
  "frames",
  "ui",
  "plot",
  "charts",
  "interact",
  "runs",
  "compare",
  "viewers",
  "media",
  "board",
  "hosts",
  "index.ts",
];
const SRC = resolve(import.meta.dirname, "../src");

const modules = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter(path =>
  /\.(ts|css)$/.test(path),
);
const roomOf = (module: string) => ROOMS.indexOf(module.split("/")[0]);

/** The imports of each module within `src`, including type imports. */
const graph = new Map(
  modules.map(module => {
    const text = readFileSync(resolve(SRC, module), "utf8");
    const paths = [...text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(([, path]) => path);
    const targets = paths.map(path => relative(SRC, resolve(SRC, dirname(module), path)));
    return [module, targets.filter(target => !target.startsWith(".."))];
  }),
);

test("every module belongs to a room, and every import is a module", () => {
  expect(modules.filter(module => roomOf(module) < 0 && !module.endsWith(".d.ts"))).toEqual([]);
  expect([...graph.values()].flat().filter(target => !graph.has(target))).toEqual([]);
});

test("no room imports from a higher one", () => {
  const up = [...graph].flatMap(([module, targets]) =>
    targets.filter(target => roomOf(target) > roomOf(module)).map(target => `${module} imports ${target}`),
  );
  expect(up).toEqual([]);
});

test("no two modules export the same name", () => {
  const homes = new Map<string, string[]>();
  for (const module of modules) {
    if (module === "index.ts") continue; // re-exports what hosts call
    const text = readFileSync(resolve(SRC, module), "utf8");
    const declared = text.matchAll(/^export (?:abstract |async |declare )*(?:[a-z]+\*?) (\w+)/gm);
    const listed = text.matchAll(/^export (?:type )?\{([^}]*)\}/gm);
    const names = [...declared, ...listed].flatMap(([, names]) => names.split(/,/));
    for (const name of names.map(each => each.trim().split(/\s+/).at(-1) as string).filter(Boolean))
      homes.set(name, [...(homes.get(name) ?? []), module]);
  }
  expect([...homes].filter(([, where]) => where.length > 1)).toEqual([]);
  expect(homes.size).toBeGreaterThan(modules.length);
});

test("no modules import each other in a circle", () => {
  const left = new Map(graph);
  for (let size = Number.NaN; size !== left.size; ) {
    size = left.size;
    for (const [module, targets] of left) if (!targets.some(target => left.has(target))) left.delete(module);
  }
  expect([...left.keys()]).toEqual([]);
});
