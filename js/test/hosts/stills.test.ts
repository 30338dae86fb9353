import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keepStill, placesOf } from "../../src/hosts/stills.ts";
import { FakeModel } from "../fixtures.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const still = (session: string, version: number, data: unknown = {}) => ({
  output_type: "display_data",
  data,
  metadata: { trackbook: { session, still: version } },
});

/** A notebook of one cell, as JupyterLab models it. */
class Notebook {
  #list: unknown[];
  constructor(...outputs: unknown[]) {
    this.#list = outputs;
  }
  cells = [{}, { outputs: this as never }];
  get length() {
    return this.#list.length;
  }
  get(index: number) {
    return { toJSON: () => this.#list[index] };
  }
  set(index: number, output: unknown) {
    this.#list[index] = output;
  }
  clear() {
    this.#list = [];
  }
  get list() {
    return this.#list;
  }
}

/** A board's model in a page of this notebook, whose kernel has a snapshot of the given version. */
function open(notebook: Notebook, version: number) {
  const asked: string[] = [];
  const data = { "text/plain": `version ${version}` };
  const model = Object.assign(new FakeModel({ keyframe: { header: { session: "s" } }, still: version }), {
    model_id: "m",
    widget_manager: { context: { model: notebook } },
    send({ ask, id }: { ask: string; id: number }) {
      asked.push(ask);
      const answer = { answers: id, data, metadata: still("s", version).metadata };
      for (const listener of model.listeners.get("msg:custom") ?? [])
        (listener as (content: unknown, buffers: unknown) => void)(answer, []);
    },
  });
  const ends = new AbortController();
  keepStill(model as never, ends.signal);
  return { notebook, model, asked, data, ends };
}

test("a snapshot that the kernel updated is left alone", async () => {
  const { asked } = open(new Notebook(still("other", 1), still("s", 3)), 3);
  await vi.advanceTimersByTimeAsync(5000);
  expect(asked).toEqual([]);
});

test("an old snapshot is written anew, and only where it is this board's", async () => {
  const notebook = new Notebook({ output_type: "stream" }, still("other", 1), still("s", 1));
  const { asked, data } = open(notebook, 3);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toEqual(["still"]);
  expect(notebook.list.slice(1)).toEqual([still("other", 1), still("s", 3, data)]);
});

test("a snapshot that comes while the page lives is looked for again", async () => {
  const notebook = new Notebook(still("s", 0));
  const { model, asked } = open(notebook, 0);
  await vi.advanceTimersByTimeAsync(5000);
  expect(asked).toEqual([]);
  model.set("still", 1);
  await vi.advanceTimersByTimeAsync(2000);
  expect(asked).toEqual(["still"]);
});

/** An output that is a view of a widget. */
const view = (id: string) => ({
  output_type: "display_data",
  data: { "application/vnd.jupyter.widget-view+json": { model_id: id } },
});

test("a snapshot that the notebook does not have is reported", async () => {
  const { asked } = open(new Notebook(view("other"), view("m")), 2);
  await vi.advanceTimersByTimeAsync(2000);
  expect(asked).toEqual(["lost"]);
});

test("a snapshot is not reported where the reload took the board, too", async () => {
  const { asked } = open(new Notebook(view("other"), { output_type: "stream" }), 2);
  await vi.advanceTimersByTimeAsync(2000);
  expect(asked).toEqual([]);
});

/** Close the notebook of a model as JupyterLab does, which keeps the model. */
function close({ notebook, model }: ReturnType<typeof open>) {
  notebook.cells = undefined as never;
  Object.assign(model.widget_manager.context, { isDisposed: true });
}

test("a notebook that was closed meanwhile is left alone", async () => {
  const opened = open(new Notebook(still("s", 1)), 3);
  close(opened);
  await vi.advanceTimersByTimeAsync(2000);
  opened.model.set("still", 4);
  await vi.advanceTimersByTimeAsync(2000);
  expect(opened.asked).toEqual([]);
});

test("a notebook that is closed while its snapshot is fetched is left alone", async () => {
  const opened = open(new Notebook(still("s", 1)), 3);
  const send = opened.model.send;
  opened.model.send = message => {
    close(opened);
    send(message);
  };
  await vi.advanceTimersByTimeAsync(2000);
  expect(opened.asked).toEqual(["still"]);
  expect(opened.notebook.list).toEqual([still("s", 1)]);
});

test("a snapshot that the user removed is not reported, whether the board is new here or came with a reload", async () => {
  const fresh = open(new Notebook(), 0);
  fresh.model.set("still", 1); // the cell ran again before the page looked
  await vi.advanceTimersByTimeAsync(2000);
  expect(fresh.asked).toEqual([]);
  const reloaded = open(new Notebook(still("s", 2)), 2);
  await vi.advanceTimersByTimeAsync(2000);
  reloaded.notebook.clear();
  reloaded.model.set("still", 3);
  await vi.advanceTimersByTimeAsync(2000);
  expect(reloaded.asked).toEqual([]);
});

test("nothing is done in a page without a notebook", async () => {
  const model = Object.assign(new FakeModel({ still: 1 }), { send: () => expect.unreachable() });
  keepStill(model as never);
  await vi.advanceTimersByTimeAsync(5000);
  expect(model.listening).toBe(0);
});

test("every place of a board's snapshot is found", () => {
  expect(
    placesOf(new Notebook(still("s", 1), {}, still("s", 2)) as never, "s").map(({ version }) => version),
  ).toEqual([1, 2]);
});
