// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { setName, shortName } from "../../src/ui/cut-name.ts";
import { h } from "../../src/ui/dom.ts";

const RUN = "llama-3-8b-instruct-grpo-lora-r16-bf16-seed0";

function parts(name: string): (string | null)[] {
  const element = h("span");
  setName(element, name);
  return [...element.children].map(({ textContent }) => textContent);
}

test("the end of a long name stays, from a sign between its words on", () => {
  expect(parts(RUN)).toEqual(["llama-3-8b-instruct-grpo-lora", "-r16-bf16-seed0"]);
  expect(parts("layers/12/attention/query/grad_norm")).toEqual(["layers/12/attention/query", "/grad_norm"]);
  expect(parts("/mnt/checkpoints/x/seed-1")).toEqual(["/mnt/checkpoints/x", "/seed-1"]);
  expect(parts("abcdefghijklmnopqrstuvwxyz")).toEqual(["abcdefghijklmnopqr", "stuvwxyz"]);
});

test("a short name is one text, and a name that is shown already stays", () => {
  const element = h("span");
  setName(element, "seed 0");
  expect([element.childElementCount, element.className]).toEqual([0, ""]);
  setName(element, RUN);
  const [start] = element.children;
  setName(element, RUN);
  expect(element.children[0]).toBe(start);
  expect([element.textContent, element.className]).toEqual([RUN, "tb-cut"]);
  setName(element, "");
  expect([element.textContent, element.className]).toEqual(["", ""]);
});

test("a text of at most so many letters keeps its beginning and its end", () => {
  expect(shortName("seed", 6)).toBe("seed");
  expect(shortName("/mnt/checkpoints/seed-1", 13)).toBe("/mnt/c…seed-1");
  expect(shortName("👨🏽👩🏽👧🏽👦🏽".repeat(4), 9)).toHaveLength(17);
});
