// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest";
import { Alerts } from "../../src/board/alerts.ts";
import type { Alert } from "../../src/frames/protocol.ts";
import { formatClock } from "../../src/ui/format.ts";
import { FakeModel } from "../fixtures.ts";

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

const alert = (number: number, level: string, title: string, times = 1): Alert => [
  "r",
  number,
  100 + number,
  level,
  title,
  "more",
  times,
];

function shown(alerts: unknown, live = true) {
  const model = new FakeModel({ alerts });
  const store = {
    skew: 99 - Date.now() / 1000, // the kernel's clock says 99 when the page opens
    picture: { runs: [{ id: "r", name: "calm-fox-2" }] },
  };
  const made = new Alerts(model, live, store as never, new AbortController().signal);
  document.body.append(made.element);
  const list = () => [...made.element.querySelectorAll(".tb-alert")].map(one => one.firstChild?.textContent);
  return { model, made, button: made.element.querySelector("button") as HTMLButtonElement, list };
}

function notifications(permission: string) {
  const said: string[] = [];
  class Notification {
    static permission = permission;
    constructor(title: string, { tag, body }: { tag: string; body: string }) {
      said.push(`${title} ${tag} ${body}`);
    }
  }
  vi.stubGlobal("Notification", Notification);
  return said;
}

test("without alerts nothing is shown", () => {
  expect(shown(undefined).made.element.hidden).toBe(true);
  expect(shown([]).made.element.hidden).toBe(true);
});

test("the button says how many alerts there are, and how urgent the worst one is", () => {
  const { made, button } = shown([alert(0, "info", "a"), alert(1, "error", "b"), alert(2, "warn", "c")]);
  expect(made.element.hidden).toBe(false);
  expect(button.textContent).toBe("✖ 3");
  expect(button.dataset.level).toBe("error");
  expect(button.getAttribute("aria-label")).toBe("Alerts: 3, the worst: error");
  const many = shown(Array.from({ length: 50 }, (_, i) => alert(i, "info", "a"))).button;
  expect([many.textContent, many.getAttribute("aria-label")]).toEqual([
    "ℹ 50+",
    "Alerts: 50+, the worst: info",
  ]);
});

test("the list has the newest alert first, and how often it came", () => {
  const { button, list, made } = shown([alert(0, "info", "a"), alert(1, "warn", "<b>b</b>", 3)]);
  button.click();
  expect(button.getAttribute("aria-expanded")).toBe("true");
  expect(list()).toEqual(["⚠ <b>b</b> ×3", "ℹ a"]);
  expect(made.element.querySelector("b")).toBeNull();
});

test("the list names the run and the time as elsewhere", () => {
  const { made } = shown([alert(0, "info", "a")]);
  expect(made.element.querySelector(".tb-alert > .tb-minor")?.textContent).toBe(
    `calm-fox-2 · ${formatClock(100)} · more`,
  );
});

test("an alert that comes is notified where the browser may, those from before are not", () => {
  const said = notifications("granted");
  const { model } = shown([alert(0, "info", "old")]);
  model.set("alerts", [alert(0, "info", "old"), alert(1, "error", "new")]);
  model.set("alerts", [alert(0, "info", "old", 2), alert(1, "error", "new", 5)]);
  expect(said).toEqual(["new r/1 more"]);
});

test("old alerts of a run that joins the board are listed, and not notified", () => {
  const said = notifications("granted");
  const { model, list } = shown([]);
  model.set("alerts", [alert(-50, "info", "old"), alert(1, "error", "new")]);
  expect(list()).toEqual(["✖ new", "ℹ old"]);
  expect(said).toEqual(["new r/1 more"]);
});

test("a browser that refuses to notify shows the alert nevertheless", () => {
  class Notification {
    static permission = "granted";
    constructor() {
      throw new TypeError("Illegal constructor");
    }
  }
  vi.stubGlobal("Notification", Notification);
  const { model, list } = shown([]);
  model.set("alerts", [alert(0, "error", "new")]);
  expect(list()).toEqual(["✖ new"]);
});

test("without permission, and in a saved page, nothing is notified", () => {
  const denied = notifications("default");
  shown([]).model.set("alerts", [alert(0, "error", "new")]);
  const granted = notifications("granted");
  shown([], false).model.set("alerts", [alert(0, "error", "new")]);
  expect([...denied, ...granted]).toEqual([]);
});
