// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";
import { NoAnswer } from "../../src/frames/requests.ts";
import { mediaStoreOf } from "../../src/media/media-store.ts";
import type { MediaScene } from "../../src/media/media-types.ts";
import { hasViewer, ViewerBlock } from "../../src/media/viewer-block.ts";
import { medium } from "../media-fixtures.ts";

const SCENE = {
  entry: { metric: "m", kind: "echarts", count: 1 },
  runs: [],
  theme: "light",
  textLook: { font: "serif", label: "", frame: "" },
} as MediaScene;
let appear: (isIntersecting: boolean) => void;

beforeEach(() => {
  document.body.replaceChildren();
  globalThis.IntersectionObserver = class {
    constructor(heard: (entries: unknown[]) => void) {
      appear = isIntersecting => heard([{ isIntersecting }]);
    }
    observe() {}
    disconnect() {}
  } as never;
});

function block(more: object = {}, refused?: string) {
  const asked: string[] = [];
  const ask = async (question: string, { name, file }: Record<string, unknown>) => {
    asked.push(`${question} ${name ?? file}`);
    if (refused && question === "asset") throw new NoAnswer(refused);
    return { content: { size: 2, mime: "" }, buffers: [new DataView(new ArrayBuffer(2))] };
  };
  const item = medium({ kind: "echarts", file: "a.json", ...more });
  const card = () => Object.assign(document.createElement("b"), { textContent: "card" });
  const { signal } = new AbortController();
  const made = new ViewerBlock(item, SCENE, mediaStoreOf({ ask } as never), card, signal);
  document.body.append(made.element);
  return { made, asked, item };
}

test("a viewer is loaded when its block comes near the window", async () => {
  const { made, asked, item } = block();
  made.show(item, SCENE);
  appear(false);
  expect(asked).toEqual([]);
  appear(true);
  await vi.waitFor(() => expect(made.element.querySelector("iframe")).not.toBeNull());
  expect(asked).toEqual(["asset viewer-echarts.js", "media_file a.json"]);
  expect(made.element.querySelector("iframe")?.title).toBe("echarts 1, step 0");
  expect(made.element.querySelector("[role=status]")?.textContent).toBe("Drawing…");
});

test("without its viewer a file is a card, and the sentence why", async () => {
  const { made } = block({ kind: "plotly" }, "pip install plotly, and restart it.");
  appear(true);
  await made.drawn;
  expect(made.element.textContent).toBe("cardpip install plotly, and restart it.");
  expect(made.element.querySelector("iframe")).toBeNull();
});

test("a large file is loaded by a click", async () => {
  const { made, asked } = block({ size: 30_000_000 });
  appear(true);
  await made.drawn;
  expect(asked).toEqual([]);
  const button = made.element.querySelector("button") as HTMLButtonElement;
  expect(button.textContent).toBe("Show 30 MB");
  button.click();
  await vi.waitFor(() => expect(asked).toHaveLength(2));
});

test("only charts and scenes of other libraries have viewers", () => {
  const kinds = ["plotly", "echarts", "molecule", "object3d", "image", "chart", "file"] as const;
  expect(kinds.filter(kind => hasViewer(medium({ kind })))).toEqual(kinds.slice(0, 4));
});
