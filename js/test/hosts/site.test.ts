// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openSite } from "../../src/hosts/site.ts";
import { frame, run, table } from "../fixtures.ts";
import { FakeSocket, last } from "./fake-socket.ts";

beforeEach(() => {
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("fetch", async () => ({ ok: false, status: 401 }));
  FakeSocket.made = [];
});

afterEach(() => {
  vi.unstubAllGlobals();
  document.body.replaceChildren();
  history.replaceState(null, "", "/");
});

const settled = () => new Promise(resolve => setTimeout(resolve, 20));

/** Open the page of an address, whose server sends these traits. */
async function open(search: string, traits: Record<string, unknown>) {
  history.replaceState(null, "", `/${search}`);
  const el = document.createElement("main");
  document.body.append(el);
  openSite(el);
  last().open();
  last().hearTraits(traits);
  await settled();
  const find = <E extends HTMLElement>(selector: string) => el.querySelector<E>(selector) as E;
  const links = () => [...el.querySelectorAll("a")].map(link => [link.textContent, link.search]);
  return { el, find, links };
}

const RUN = {
  keyframe: frame([{ run: 0, metric: 0, rows: [[0, 0, 1]] }], { runs: [run(0, { state: "finished" })] }),
  table: table([{ name: "run-0", state: "finished" }], ["loss"], () => [0.5, 0.25, 2]),
};

test("a run's own page changes the run where the server lets it, and says how where not", async () => {
  const { find } = await open("?project=p&run=id0", { ...RUN, may_write: false });
  const name = find<HTMLInputElement>(".tb-site-details input");
  expect(name.readOnly).toBe(true);
  expect(name.title).toContain("start “trackbook show” with --write");
  last().hearTraits({ may_write: true });
  expect([name.readOnly, name.title]).toEqual([false, ""]);
  name.value = "better";
  name.dispatchEvent(new Event("change"));
  expect(last().sent).toContainEqual({ ask: "rename", run: "id0", name: "better", id: expect.any(Number) });
});

test("a run's own page has its results, and no buttons about other runs", async () => {
  const { find } = await open("?project=p&run=id0", RUN);
  expect(find(".tb-site-details .tb-pairs").textContent).toBe("loss0.5000 · best ↓ 0.2500");
  const hidden = [...find(".tb-site-details").querySelectorAll("button")].filter(({ hidden }) => hidden);
  expect(hidden.map(({ textContent }) => textContent)).toEqual(
    expect.arrayContaining(["×", "Show only this run"]),
  );
});

test("what is not there is a sentence, with links to the project and to all projects", async () => {
  const refused = { code: 4404, reason: "project 'p' has no run 'x'" };
  const { find, links } = await open("?project=p&run=x&theme=dark", { refused });
  expect(find("[role=alert]").textContent).toBe("Project 'p' has no run 'x'.");
  expect(links().slice(-2)).toEqual([
    ["All runs of p", "?project=p&theme=dark"],
    ["All projects", "?theme=dark"],
  ]);
});

test("a page whose token was revoked says where a new one comes from, and that it is entered here", async () => {
  const { find } = await open("?project=p", RUN);
  last().close();
  await settled();
  expect(find("[role=alert]").textContent).toMatch(/“trackbook show” .* “trackbook token create” .* Reload/);
});

test("the theme of an address stays when a link is followed", async () => {
  const { find } = await open("?project=p&theme=dark", RUN);
  expect(find(".tb-site-home").getAttribute("href")).toBe("?theme=dark");
  find<HTMLElement>(".tb-site-home").click();
  expect([location.search, document.documentElement.dataset.theme]).toEqual(["?theme=dark", "dark"]);
});
