// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { htmlFrame } from "../../src/media/documents.ts";
import { markdownElements } from "../../src/media/markdown.ts";
import { mediaStoreOf } from "../../src/media/media-store.ts";
import { TableView } from "../../src/media/table-view.ts";
import { traceElement } from "../../src/media/trace-view.ts";
import { medium } from "../media-fixtures.ts";

const EVIL = `<img src=x onerror="alert(1)"><script>alert(1)</script><svg onload=alert(1)>`;

function inPage(elements: readonly HTMLElement[]): HTMLElement {
  const place = document.createElement("div");
  place.append(...elements);
  return place;
}

/** Elements that could run or load something, and attributes that do. */
function dangers(place: HTMLElement): string[] {
  const elements = [...place.querySelectorAll("*")];
  const tags = elements.filter(({ localName }) =>
    ["script", "iframe", "svg", "object", "form"].includes(localName),
  );
  const attributes = elements.flatMap(({ attributes }) => [...attributes]);
  const bad = attributes.filter(
    ({ name, value }) =>
      /^on/i.test(name) || /^\s*(javascript|vbscript|data:text)/i.test(value) || name === "src",
  );
  return [...tags.map(({ localName }) => localName), ...bad.map(({ name, value }) => `${name}=${value}`)];
}

test.each([
  EVIL,
  `para ${EVIL}`,
  "[x](javascript:alert(1)) [y](JaVaScRiPt:alert(1)) [z](data:text/html,<script>alert(1)</script>) <javascript:alert(1)>",
  '![x](https://evil.example/pixel.png) ![y](x" onerror="alert(1))',
  "[ref]: javascript:alert(1)\n\n[ref]",
  `- item ${EVIL}\n\n| a |\n|---|\n| ${EVIL} |\n\n> ${EVIL}\n\n# ${EVIL}`,
  "<details ontoggle=alert(1) open>x</details>",
  `\`\`\`html\n${EVIL}\n\`\`\``,
])("markdown runs and loads nothing: %s", text => {
  expect(dangers(inPage(markdownElements(text)))).toEqual([]);
});

test("markdown is shown as it was meant", () => {
  const place = inPage(
    markdownElements("# A *title*\n\n1. one\n2. `two`\n\n[link](https://example.org/a?b=1&c=2) & <b>"),
  );
  expect(place.querySelector("[role=heading]")?.textContent).toBe("A title");
  expect([...place.querySelectorAll("ol > li")].map(item => item.textContent)).toEqual(["one", "two"]);
  const link = place.querySelector("a") as HTMLAnchorElement;
  expect([link.getAttribute("href"), link.target, link.rel]).toEqual([
    "https://example.org/a?b=1&c=2",
    "_blank",
    "noopener noreferrer",
  ]);
  expect(place.textContent).toContain("& <b>");
});

test("lists that are nested without end are shown in bounded depth", () => {
  const place = inPage(markdownElements(`${"> ".repeat(500)}deep`));
  expect(place.querySelectorAll("blockquote").length).toBeLessThan(60);
  expect(place.textContent).toContain("deep");
});

test("HTML is shown in a frame without rights that loads nothing", () => {
  const frame = htmlFrame(
    `<meta http-equiv=refresh content="0;url=https://evil.example"><base href="https://evil.example"><p>hello</p>${EVIL}
     <link rel=stylesheet href=https://evil.example/x.css><iframe srcdoc="<script>alert(1)</script>"></iframe>`,
    "page",
  );
  expect(frame.getAttribute("sandbox")).toBe("");
  expect(frame.title).toBe("page");
  const text = frame.srcdoc;
  const [policy] = text.match(/content="([^"]*)"/)?.slice(1) ?? [];
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/script|https?:/);
  expect(text.indexOf("Content-Security-Policy")).toBeLessThan(text.indexOf("hello"));
  expect(text).not.toMatch(/<script|onerror|onload|refresh|evil\.example|<iframe|<link/i);
});

test("no link in HTML leads its frame elsewhere", () => {
  const { srcdoc } = htmlFrame(
    `<a href="https://evil.example/a" target="_self">a</a><map><area href="https://evil.example/b" target=_self></map>
     <svg><a id="s" href="https://evil.example/svg" xlink:href="https://evil.example/svg" target="_self"><text>s</text>
     <set attributeName="href" to="https://evil.example/set"/><animate attributeName="x" to="1"/></a><use href="#s"/></svg>`,
    "page",
  );
  expect(srcdoc).not.toMatch(/_self|svg"|attributeName="href"/);
  expect(srcdoc).toMatch(/evil\.example\/a.*evil\.example\/b/s); // into a new tab, which the sandbox refuses
  expect(srcdoc).toMatch(/attributeName="x".*href="#s"/s);
});

const answering = (content: Record<string, unknown>, data?: unknown) => ({
  ask: async () => ({
    content,
    buffers: data === undefined ? [] : [new DataView(new TextEncoder().encode(JSON.stringify(data)).buffer)],
  }),
});

test("a cell of a table is text, whatever it holds", async () => {
  const content = {
    columns: [
      { name: EVIL, type: "string" },
      { name: "n", type: "number" },
    ],
    rows: [
      [EVIL, 1.5],
      [{ kind: "image", file: EVIL }, null],
    ],
    total: 2,
  };
  const { signal } = new AbortController();
  const table = new TableView(medium({ kind: "table" }), mediaStoreOf(answering(content)), () => {}, signal);
  await new Promise(resolve => setTimeout(resolve));
  const cells = [...table.element.querySelectorAll("[role=cell]")].map(cell => cell.textContent);
  expect(cells).toEqual([EVIL, "1.5", JSON.stringify({ kind: "image", file: EVIL }), ""]);
  const within = (place: string) => table.element.querySelector(place) as HTMLElement;
  expect(dangers(within("[role=table]"))).toEqual([]);
  within("[role=cell]").click();
  expect(within(".tb-media-reader [role=definition]").textContent).toBe(EVIL);
  expect(dangers(within(".tb-media-reader-body"))).toEqual([]);
});

test("an image in a table without a thumbnail is loaded only if it is small", async () => {
  const image = (file: string, size: number) => ({ ...medium({ file, size }), caption: file });
  const content = {
    columns: [{ name: "i", type: "media" }],
    rows: [[image("small.png", 100)], [image("large.png", 9 * 2 ** 20)]],
    total: 2,
  };
  const files: unknown[] = [];
  const ask = async (name: string, fields: Record<string, unknown>) => {
    if (name === "media_file") files.push(fields.file);
    const own = name === "table_rows" ? content : { mimes: [null, null], size: 1, mime: "image/png" };
    return { content: own, buffers: [new DataView(new ArrayBuffer(1)), new DataView(new ArrayBuffer(1))] };
  };
  const { signal } = new AbortController();
  const table = new TableView(medium({ kind: "table" }), mediaStoreOf({ ask } as never), () => {}, signal);
  await new Promise(resolve => setTimeout(resolve, 20));
  expect(files).toEqual(["small.png"]);
  expect(table.element.querySelectorAll("[role=cell]")[1].textContent).toBe("large.png");
});

test("a row of a table that is gone no longer asks for its thumbnails", async () => {
  const content = {
    columns: [
      { name: "n", type: "number" },
      { name: "i", type: "media" },
    ],
    rows: [[1, { ...medium({ file: "a.png" }), caption: "a" }]],
    total: 1,
  };
  const signals: AbortSignal[] = [];
  const store = {
    tablePage: async () => content,
    thumbnail: (_: string, signal: AbortSignal) => new Promise(() => signals.push(signal)),
  };
  const { signal } = new AbortController();
  const table = new TableView(medium({ kind: "table" }), store as never, () => {}, signal);
  await new Promise(resolve => setTimeout(resolve, 20));
  table.element.querySelector<HTMLElement>(".tb-media-sort")?.click();
  await new Promise(resolve => setTimeout(resolve, 20));
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
});

test("a trace shows its messages as text, and an image only if it holds its bytes", async () => {
  const url = "data:image/png;base64,AAAA";
  const messages = [
    { role: `user ${EVIL}`, content: EVIL },
    { role: "tool", name: EVIL, content: `{"a": ${JSON.stringify(EVIL)}}` },
    { role: "assistant", tool_calls: [{ function: { name: EVIL, arguments: { x: EVIL } } }] },
    {
      role: "user",
      content: [
        { type: "image_url", image_url: { url } },
        { type: "image_url", image_url: { url: "https://evil.example/a.png" } },
        { type: "image_url", image_url: { url: "data:text/html,<script>alert(1)</script>" } },
      ],
    },
  ];
  const store = mediaStoreOf(
    answering({ size: JSON.stringify({ messages }).length, mime: "" }, { messages }),
  );
  const element = await traceElement(medium({ kind: "trace" }), store);
  expect(dangers(element)).toEqual([`src=${url}`]);
  expect(element.textContent).toContain(EVIL);
});
