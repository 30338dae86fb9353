/** The page that `trackbook.export_html` writes: it holds this front end, the state of a board, and the details of its runs. */
import { Board } from "../board/board.ts";
import { storeOf } from "../frames/picture-store.ts";
import { SavedModel, type SavedWidget } from "./page.ts";
import { importMedia, type PageAnswer, PageArchive, type PageContents } from "./page-archive.ts";
import { applyParameters, followView } from "./url-parameters.ts";

const STATE = 'script#trackbook-state[type="application/json"]'; // which no sanitised output of a notebook can hold
const PLACE = "trackbook-board";

interface ExportedState extends SavedWidget {
  contents: PageContents;
}

/** Draw the board of the page if it is one that was exported. The page holds this module, so nothing can import it. */
export function openExportedPage() {
  const text = globalThis.document?.querySelector(STATE)?.textContent;
  const place = globalThis.document?.getElementById(PLACE);
  if (!text || !place) return;
  try {
    open(place, JSON.parse(text));
  } catch (error) {
    place.textContent = `This page could not be drawn: ${(error as Error).message}`;
    throw error;
  }
}

function open(place: HTMLElement, state: ExportedState) {
  const [model, ends] = [new PageModel(state), new AbortController()];
  const applied = applyParameters(model, location.search);
  const { picture } = storeOf(model);
  if (applied.project !== null && applied.project !== picture?.project)
    console.warn(`Trackbook: this page shows the project “${picture?.project}”, not “${applied.project}”.`);
  new Board(place, model, { live: false, signal: ends.signal, zoom: applied.zoom });
  followView(model, applied, ends.signal);
}

/** A saved model that answers questions from what the page holds. */
export class PageModel extends SavedModel {
  readonly readOnly = "This page only shows runs.";
  readonly importFile = importMedia;
  #archive: PageArchive | null = null;
  #contents: PageContents;
  #hearing = new Set<(...of: unknown[]) => void>();

  constructor({ contents, ...saved }: ExportedState) {
    super(saved);
    this.#contents = contents;
  }

  send(question: unknown) {
    void this.#answer(question as { ask: string; id?: number });
  }

  async #answer({ id, ...question }: { ask: string; id?: number }) {
    if (id === undefined) return; // nobody waits
    const answer = await this.#ask(question);
    for (const hear of [...this.#hearing]) hear({ ...answer.content, answers: id }, answer.buffers);
  }

  async #ask(question: { ask: string }): Promise<PageAnswer> {
    const picture = storeOf(this).picture ?? { runs: [], metrics: [] };
    this.#archive ??= new PageArchive(this.#contents, picture);
    try {
      return await this.#archive.answer(question);
    } catch (error) {
      if ((error as Error).name !== "NoAnswer") console.error("Trackbook:", error); // perhaps the class of media.js
      return { content: { error: (error as Error).message }, buffers: [] };
    }
  }

  override on(event: string, listener: (...of: unknown[]) => void) {
    if (event === "msg:custom") this.#hearing.add(listener);
    else super.on(event, listener);
  }

  override off(event: string, listener: (...of: unknown[]) => void) {
    this.#hearing.delete(listener);
    super.off(event, listener);
  }
}
