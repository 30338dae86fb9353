// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest";
import { ProjectList } from "../../src/hosts/project-list.ts";

const ends = new AbortController();
const PROJECTS = [
  { name: "digits", runs: 1, running: 1, active: 990, problem: null },
  { name: "<b>speech</b>", runs: 1200, running: 0, active: 1000 - 7200, problem: null },
  { name: "broken", runs: 0, running: 0, active: null, problem: "cannot read it" },
];

afterEach(() => {
  ends.abort();
  vi.unstubAllGlobals();
});

async function listOf(projects: unknown[]) {
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ projects, now: 1000 })));
  const list = new ProjectList(
    ({ project }) => `?project=${project}`,
    () => {},
    ends.signal,
  );
  await vi.waitFor(() =>
    expect(list.element.querySelector(".tb-projects-rows")?.childElementCount).toBeTruthy(),
  );
  return list.element;
}

const rowsOf = (element: HTMLElement) =>
  [...element.querySelectorAll(".tb-projects-row")].map(row =>
    [...row.children].map(cell => cell.textContent),
  );

test("lists projects with runs, those running, and the last activity", async () => {
  const element = await listOf(PROJECTS);
  expect(rowsOf(element)).toEqual([
    ["digits", "● 1 running", "1 run", "just now"],
    ["<b>speech</b>", "", "1,200 runs", "2 h ago"],
    ["broken", "", "cannot read it", ""],
  ]);
  expect(element.querySelector("a")?.getAttribute("href")).toBe("?project=digits");
});

test("search ignores case, and says when nothing matches", async () => {
  const element = await listOf(PROJECTS);
  const search = element.querySelector("input") as HTMLInputElement;
  const type = (text: string) => {
    search.value = text;
    search.dispatchEvent(new Event("input"));
  };
  type("SPEECH");
  expect(rowsOf(element).map(([name]) => name)).toEqual(["<b>speech</b>"]);
  type("nothing");
  expect(element.textContent).toContain("No project matches “nothing”.");
});

test("an empty folder says how a project begins", async () => {
  expect((await listOf([])).textContent).toContain('tb.init("name") begins one');
});
