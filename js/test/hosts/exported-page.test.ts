// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest";
import { Requests } from "../../src/frames/requests.ts";
import { openExportedPage, PageModel } from "../../src/hosts/exported-page.ts";
import { frame, run } from "../fixtures.ts";

afterEach(() => {
  document.body.replaceChildren();
  history.replaceState(null, "", "/");
});

function stateOf(contents: object = {}) {
  const { header, data } = frame([{ run: 0, metric: 0, rows: [[0, 0, 1]] }], {
    runs: [run(0)],
    metrics: ["a", "b"],
  });
  const bytes = Buffer.from(data.buffer).toString("base64");
  return {
    state: { keyframe: { header } },
    buffers: [{ encoding: "base64" as const, path: ["keyframe", "data"], data: bytes }],
    contents: { details: {}, points: null, ...contents },
  };
}

function write(state: unknown) {
  const [place, script] = [document.createElement("main"), document.createElement("script")];
  place.id = "trackbook-board";
  script.id = "trackbook-state";
  script.type = "application/json";
  script.textContent = typeof state === "string" ? state : JSON.stringify(state);
  document.body.append(place, script);
  return place;
}

const metrics = () =>
  [...document.querySelectorAll<HTMLElement>(".tb-chart")].map(({ dataset }) => dataset.metric);

test("an exported page shows its board as the address says", () => {
  history.replaceState(null, "", "/?metrics=b&foo=1");
  const complain = vi.spyOn(console, "warn").mockImplementation(() => {});
  write(stateOf());
  openExportedPage();
  expect(metrics()).toEqual(["b"]);
  expect(complain.mock.calls.flat().join()).toContain("foo");
  complain.mockRestore();
});

test("a page of another project says so in the console", () => {
  history.replaceState(null, "", "/?project=other");
  const complain = vi.spyOn(console, "warn").mockImplementation(() => {});
  write(stateOf());
  openExportedPage();
  expect(complain).toHaveBeenCalledWith("Trackbook: this page shows the project “p”, not “other”.");
  complain.mockRestore();
});

test.each(["<main></main>", '<main id="trackbook-board"></main><div id="trackbook-state">{}</div>'])(
  "any other page stays as it is: %s",
  html => {
    document.body.innerHTML = html;
    openExportedPage();
    expect(document.body.innerHTML).toBe(html);
  },
);

test("a page that cannot be drawn says so", () => {
  const place = write("{");
  expect(openExportedPage).toThrow();
  expect(place.textContent).toContain("could not be drawn");
});

test("questions are answered from the page, and nothing can be changed", async () => {
  const model = new PageModel(stateOf());
  const ends = new AbortController();
  const requests = new Requests(model, ends.signal);
  expect([requests.possible, requests.refusal]).toEqual([true, "This page only shows runs."]);
  await expect(requests.ask("rename", { run: "id0", name: "x" })).rejects.toThrow(
    "This page only shows runs.",
  );
  await expect(requests.ask("console", { run: "id0" })).rejects.toThrow("left out");
  ends.abort();
});

test("an unexpected failure of an answer is in the console", async () => {
  const complain = vi.spyOn(console, "error").mockImplementation(() => {});
  const requests = new Requests(
    new PageModel(stateOf({ details: { id0: "missing" } })),
    new AbortController().signal,
  );
  await expect(requests.ask("console", { run: "id0" })).rejects.toThrow();
  expect(complain).toHaveBeenCalled();
  complain.mockRestore();
});
