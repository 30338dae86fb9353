// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";
import type { ItemSource } from "../../src/media/lightbox.ts";
import type { TablePage, TableQuestion } from "../../src/media/media-store.ts";
import type { MediaItem } from "../../src/media/media-types.ts";
import { TableView } from "../../src/media/table-view.ts";
import { medium } from "../media-fixtures.ts";

beforeEach(() => document.body.replaceChildren());

const settle = () => new Promise(resolve => setTimeout(resolve));

/** A table on the page; `pages` answers what it asks. */
async function table(pages: (question: TableQuestion) => TablePage) {
  const asked: TableQuestion[] = [];
  const store = {
    tablePage: async (question: TableQuestion) => {
      asked.push(question);
      return pages(question);
    },
    thumbnail: async () => null,
    file: () => new Promise(() => {}),
  };
  const opened: [MediaItem, ItemSource][] = [];
  const open = (...of: [MediaItem, ItemSource]) => void opened.push(of);
  const item = medium({ kind: "table", file: "t0.json", run: "id1", step: 7 });
  const view = new TableView(item, store as never, open, new AbortController().signal);
  document.body.append(view.element);
  await settle();
  const cells = () => [...view.element.querySelectorAll("[role=cell]")].map(cell => cell.textContent);
  return { view, item, asked, opened, cells };
}

test("numbers of a table are those that were logged", async () => {
  const numbers = [1000.5, 23010.5, -0.25, 7, 123456789.5, 0.1 + 0.2, 1e-9, Number.NaN, -3];
  const { cells } = await table(() => ({
    columns: [{ name: "n", type: "number" }],
    rows: numbers.map(n => [n]),
    total: numbers.length,
  }));
  expect(cells()).toEqual(["1000.5", "23010.5", "−0.25", "7", "123456789.5", "0.3", "1e-9", "NaN", "−3"]);
});

test("an image in a cell opens, and its neighbours are those of the column", async () => {
  const image = (file: string) => ({ ...medium({ file }), caption: file });
  const { view, opened } = await table(() => ({
    columns: [
      { name: "n", type: "number" },
      { name: "i", type: "media" },
    ],
    rows: [
      [0, image("a.png")],
      [1, image("b.png")],
      [2, null],
    ],
    total: 3,
  }));
  const buttons = view.element.querySelectorAll<HTMLElement>("[role=cell] button");
  expect([...buttons].map(button => button.getAttribute("aria-label"))).toEqual(["Open a.png", "Open b.png"]);
  buttons[0].click();
  const [[item, source]] = opened;
  expect([item.file, item.run, item.step]).toEqual(["a.png", "id1", 7]);
  expect([source.has(-1), source.has(1), source.steps(item)]).toEqual([false, true, []]);
  expect(source.step(1)?.file).toBe("b.png");
  source.closed();
  expect(document.activeElement).toBe(buttons[1]);
});

test("the table of the next step is sorted and filtered as the one before", async () => {
  const { view, item, asked, cells } = await table(({ file }) => ({
    columns: [{ name: "n", type: "number" }],
    rows: [[file === "t0.json" ? 1 : 2]],
    total: 1,
  }));
  view.element.querySelector<HTMLElement>(".tb-media-sort")?.click();
  const filter = view.element.querySelector("input") as HTMLInputElement;
  filter.value = "x";
  filter.dispatchEvent(new Event("input"));
  await vi.waitFor(() => expect(asked.at(-1)?.filter).toBe("x"));
  view.show({ ...item, file: "t1.json", step: 8 });
  await settle();
  expect(asked.at(-1)).toMatchObject({ file: "t1.json", sort: "n", descending: false, filter: "x" });
  expect(cells()).toEqual(["2"]);
  const count = asked.length;
  view.show({ ...item, file: "t1.json", step: 8 });
  expect(asked).toHaveLength(count);
});

test("a filter says how many of all rows match, and that none does", async () => {
  const { view, item, cells } = await table(({ filter }) => ({
    columns: [{ name: "n", type: "number" }],
    rows: filter === "x" ? [] : [[1]],
    total: filter === "x" ? 0 : 1,
  }));
  view.show({ ...item, file: "t1.json", about: { rows: 2000 } });
  const { element } = view;
  const write = (text: string) => {
    const field = element.querySelector("input") as HTMLInputElement;
    field.value = text;
    field.dispatchEvent(new Event("input"));
  };
  const says = (text: string) =>
    vi.waitFor(() => expect(element.querySelector("[role=status]")?.textContent).toBe(text));
  write("x");
  await says("0 of 2,000 rows");
  expect(cells()).toEqual(["no row matches"]);
  write("1");
  await says("1 of 2,000 rows");
  expect(cells()).toEqual(["1"]);
});

test("a table without the column that sorted the one before is shown as it was logged", async () => {
  const { view, item, cells } = await table(({ file, sort }) => {
    const own = file === "t0.json" ? "old" : "new";
    if (sort !== null && sort !== own) throw new Error(`no column ${sort}`);
    return { columns: [{ name: own, type: "number" }], rows: [[5]], total: 1 };
  });
  view.element.querySelector<HTMLElement>(".tb-media-sort")?.click();
  await settle();
  view.show({ ...item, file: "t1.json" });
  await settle();
  await settle();
  expect(view.element.querySelector("[role=columnheader]")?.textContent).toBe("new");
  expect(cells()).toEqual(["5"]);
});

test("a long text is read whole, and the reader stays at its row when the step changes", async () => {
  const long = (file: string) => `${file}\n\tline 2\n${"word ".repeat(900)}end`;
  const { view, item } = await table(({ file }) => ({
    columns: [
      { name: "prompt", type: "string" },
      { name: "rewards", type: "json" },
    ],
    rows: [
      ["first", { format: 1 }],
      [long(file), { format: 0 }],
    ],
    total: 2,
  }));
  const { element } = view;
  const reader = element.querySelector(".tb-media-reader") as HTMLElement;
  const read = () => [...reader.querySelectorAll("[role=definition]")].map(({ textContent }) => textContent);
  expect(reader.hidden).toBe(true);
  element.querySelectorAll<HTMLElement>("[role=row] [role=cell]")[2].click();
  expect(reader.hidden).toBe(false);
  expect(reader.textContent).toContain("Row 2 of 2");
  expect(read()).toEqual([long("t0.json"), '{\n  "format": 0\n}']);
  view.show({ ...item, file: "t1.json", step: 8 });
  await settle();
  expect(read()[0]).toBe(long("t1.json"));
  const rows = element.querySelector("[role=table]") as HTMLElement;
  const press = (key: string) => rows.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  press("ArrowUp");
  expect(read()[0]).toBe("first");
  press("Escape");
  expect(reader.hidden).toBe(true);
  press("Enter");
  expect(read()[0]).toBe("first");
});

test("a text from right to left begins at its beginning", async () => {
  const { view } = await table(() => ({
    columns: [
      { name: "text", type: "string" },
      { name: "n", type: "number" },
    ],
    rows: [["كان يا ما كان", 1]],
    total: 1,
  }));
  const [text, number] = view.element.querySelectorAll<HTMLElement>("[role=cell]");
  expect([text.dir, number.dir]).toEqual(["auto", ""]);
});
