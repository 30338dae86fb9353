import { expect, test } from "vitest";
import { NoAnswer } from "../../src/frames/requests.ts";
import { MediaStore, Recent } from "../../src/media/media-store.ts";

type Asked = Record<string, unknown> & { ask: string };

function store(answer: (question: Asked) => { content: object; data?: (string | null)[] }) {
  const asked: Asked[] = [];
  const ask = async (name: string, fields: Record<string, unknown> = {}) => {
    const question = { ...fields, ask: name };
    asked.push(question);
    const { content, data = [] } = answer(question);
    const buffers = data.map(text => new DataView(new TextEncoder().encode(text ?? "").buffer));
    return { content: content as Record<string, unknown>, buffers };
  };
  return { asked, media: new MediaStore({ ask } as never) };
}

const thumbnails = ({ files }: Asked) => ({
  content: { mimes: (files as string[]).map(name => (name === "none" ? null : "image/webp")) },
  data: files as string[],
});
const { signal } = new AbortController();

test("thumbnails that are wanted together are asked for in one question", async () => {
  const { asked, media } = store(thumbnails);
  const found = await Promise.all(["a", "b", "none", "a"].map(name => media.thumbnail(name, signal)));
  expect(asked.map(({ files }) => files)).toEqual([["a", "none", "b"]]);
  expect(await Promise.all(found.map(blob => blob?.text()))).toEqual(["a", "b", undefined, "a"]);
  expect(found[0]?.type).toBe("image/webp");
});

test("a question has 64 thumbnails at most, and those that scrolled away are left out", async () => {
  const { asked, media } = store(thumbnails);
  const gone = new AbortController();
  const wanted = Array.from({ length: 100 }, (_, i) => media.thumbnail(`w${i}`, signal));
  void media.thumbnail("gone", gone.signal);
  gone.abort();
  await Promise.all(wanted);
  expect(asked.map(({ files }) => (files as string[]).length)).toEqual([64, 36]);
  expect(asked.flatMap(({ files }) => files)).not.toContain("gone");
});

test("a thumbnail is kept, a refusal is not", async () => {
  let refuses = true;
  const { asked, media } = store(question => {
    if (refuses) throw new NoAnswer("busy");
    return thumbnails(question);
  });
  await expect(media.thumbnail("a", signal)).rejects.toThrow("busy");
  refuses = false;
  expect(await (await media.thumbnail("a", signal))?.text()).toBe("a");
  await media.thumbnail("a", signal);
  expect(asked.length).toBe(2);
});

test("what the kernel had no time for is asked for again", async () => {
  const { asked, media } = store(({ files }) =>
    thumbnails({ ask: "", files: (files as string[]).slice(0, 2) }),
  );
  const found = await Promise.all(["a", "b", "c"].map(name => media.thumbnail(name, signal)));
  expect(await Promise.all(found.map(blob => blob?.text()))).toEqual(["a", "b", "c"]);
  expect(asked.map(({ files }) => files)).toEqual([["c", "b", "a"], ["a"]]);
});

test("what another tile wants meanwhile is not forgotten when the kernel had no time", async () => {
  const answers: (() => void)[] = [];
  const ask = async (_: string, { files }: Record<string, unknown>) => {
    await new Promise<void>(resolve => answers.push(resolve));
    const { content, data } = thumbnails({ ask: "", files: (files as string[]).slice(0, 1) });
    return { content, buffers: data.map(text => new DataView(new TextEncoder().encode(text).buffer)) };
  };
  const media = new MediaStore({ ask } as never);
  const settle = () => new Promise(resolve => setTimeout(resolve));
  const found: (Blob | null)[] = [];
  const want = async (...names: string[]) => {
    for (const name of names) void media.thumbnail(name, signal).then(blob => found.push(blob));
    await settle();
  };
  await want("a", "b");
  await want("c"); // as many questions as may be open
  await want("a");
  while (answers.length) {
    answers.shift()?.();
    await settle();
  }
  expect((await Promise.all(found.map(blob => blob?.text()))).sort()).toEqual(["a", "a", "b", "c"]);
});

test("a large file comes in parts, once for all who want it", async () => {
  const parts = ["abc", "de", "f"];
  const { asked, media } = store(({ from }) => ({
    content: { size: 6, mime: "image/png" },
    data: [parts[{ 0: 0, 3: 1, 5: 2 }[from as number] as number]],
  }));
  const [one, other] = await Promise.all([media.file("f.png"), media.file("f.png")]);
  expect(await one.text()).toBe("abcdef");
  expect(one).toBe(other);
  expect(one.type).toBe("image/png");
  expect(asked.map(({ from }) => from)).toEqual([0, 3, 5]);
});

test("a file that ends early is refused instead of asked for without end", async () => {
  const { media } = store(() => ({ content: { size: 6, mime: "" }, data: [""] }));
  await expect(media.file("f")).rejects.toThrow("not whole");
});

test("steps are asked for again only when there are more", async () => {
  const { asked, media } = store(() => ({ content: { steps: { r: [1, 2] } } }));
  expect(await media.steps("m", ["r"], 2)).toEqual({ steps: new Map([["r", [1, 2]]]), thinned: false });
  await media.steps("m", ["r"], 2);
  expect(asked.length).toBe(1);
  await media.steps("m", ["r"], 3);
  expect(asked.length).toBe(2);
});

test("the recent entries are those used last, up to a size", () => {
  const recent = new Recent<string>(5, ({ length }) => length);
  recent.set("a", "xx");
  recent.set("b", "xx");
  recent.get("a");
  recent.set("c", "xx");
  expect(["a", "b", "c"].map(key => recent.get(key))).toEqual(["xx", undefined, "xx"]);
  recent.set("large", "x".repeat(9));
  expect([recent.get("a"), recent.get("large")?.length]).toEqual([undefined, 9]);
});
