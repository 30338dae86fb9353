// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";
import { framePage, ViewerFrame } from "../../src/media/viewer-frame.ts";

const LOOK = { dark: false, ground: "#fff", text: "#000", line: "#ccc", font: "sans-serif" };

function opened(onAgain = () => {}) {
  const ends = new AbortController();
  const frame = new ViewerFrame("draw()", "loss, step 2", onAgain, ends.signal);
  const sent: Record<string, unknown>[] = [];
  const view = { postMessage: (message: Record<string, unknown>) => sent.push(message) };
  Object.defineProperty(frame.element, "contentWindow", { value: view });
  const say = (data: unknown, source: unknown = view) => {
    const event = Object.assign(new Event("message"), { data, source });
    window.dispatchEvent(event);
  };
  const load = () => frame.element.dispatchEvent(new Event("load"));
  const draw = () => frame.draw({ data: new ArrayBuffer(2), format: "json", name: "acc", look: LOOK });
  return { frame, sent, say, load, draw, ends };
}

test("a viewer's frame has scripts but no origin, and its policy loads nothing", () => {
  const { element } = opened().frame;
  expect(element.getAttribute("sandbox")).toBe("allow-scripts");
  expect(element.title).toBe("loss, step 2");
  const policy = element.srcdoc.match(/Content-Security-Policy" content="([^"]*)"/)?.[1] ?? "";
  const rules = new Map(policy.split("; ").map(rule => [rule.split(" ")[0], rule.split(" ").slice(1)]));
  expect(rules.get("default-src")).toEqual(["'none'"]);
  expect(rules.get("img-src")).toEqual(["data:", "blob:"]);
  expect(rules.get("script-src")).toEqual([expect.stringMatching(/^'nonce-\w{15,}'$/)]);
  expect(policy).not.toMatch(/https?:|\*|self|unsafe-eval|connect-src|frame-src/);
  expect(element.srcdoc.indexOf("Content-Security-Policy")).toBeLessThan(element.srcdoc.indexOf("<script"));
  expect(opened().frame.element.srcdoc).not.toBe(element.srcdoc); // a nonce is used once
});

test("no code of a viewer ends or nests its script element", () => {
  const code = `a = "</script><script>evil()</SCRIPT >"; b = "<!-- <script>"`;
  const page = framePage(code, "n");
  expect(page.match(/<\/?script|<!--/gi)).toEqual(["<script", "</script"]);
  const text = page.slice(page.indexOf('"n">') + 4, page.lastIndexOf("</script>"));
  expect(new Function(`let a, b;${text}; return [a, b]`)()).toEqual([
    "</script><script>evil()</SCRIPT >",
    "<!-- <script>",
  ]);
  expect(framePage("a < b", "n")).toContain(">a < b</script>"); // the policies of pages know it by its hash
});

test("a file is sent once the frame has answered, and its problem comes back in words", async () => {
  const { sent, say, load, draw } = opened();
  const drawn = draw();
  load();
  expect(sent).toEqual([{ hello: true }]);
  say({ viewer: "ready" });
  await vi.waitFor(() => expect(sent).toHaveLength(2));
  expect(sent[1]).toMatchObject({ id: 1, format: "json", name: "acc", look: LOOK });
  say({ viewer: "drawn", id: 1 });
  await drawn;
  const other = draw();
  await vi.waitFor(() => expect(sent).toHaveLength(3));
  say({ viewer: "drawn", id: 2, problem: "no such series" });
  await expect(other).rejects.toThrow("no such series");
});

test("nobody but the frame speaks for it", async () => {
  const { sent, say, load, draw } = opened();
  void draw();
  load();
  say({ viewer: "ready" }, window);
  say({ viewer: "ready" }, null);
  say("ready");
  say(null);
  await new Promise(resolve => setTimeout(resolve, 5));
  expect(sent).toEqual([{ hello: true }]);
});

test("a frame that was moved says so, and what it was drawing is drawn again", async () => {
  const again = vi.fn();
  const { frame, sent, say, load, draw } = opened(again);
  load();
  say({ viewer: "ready" });
  const drawn = draw();
  await vi.waitFor(() => expect(sent).toHaveLength(2));
  load();
  expect(frame.element.style.visibility).toBe("hidden");
  expect(again).not.toHaveBeenCalled();
  say({ viewer: "ready" });
  await drawn;
  expect(again).toHaveBeenCalledOnce();
  expect(frame.element.style.visibility).toBe("");
});

test("a frame that shows another page, or may not run, is removed", async () => {
  vi.useFakeTimers();
  try {
    const { frame, say, load, draw } = opened();
    document.body.append(frame.element);
    load();
    say({ viewer: "ready" });
    const drawn = draw();
    const refused = expect(drawn).rejects.toThrow("does not let its viewer run");
    await vi.advanceTimersByTimeAsync(1);
    load(); // elsewhere: it does not answer
    await vi.advanceTimersByTimeAsync(11_000);
    await refused;
    expect(frame.element.isConnected).toBe(false);
  } finally {
    vi.useRealTimers();
  }
});
