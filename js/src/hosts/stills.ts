/**
 * Keeps a board's snapshot in a notebook whose page was reloaded. JupyterLab updates an output by a display id that only the
 * page knows in which it was displayed; after a reload the kernel's updates are lost. Then the page fetches the snapshot and
 * writes it into the notebook itself.
 */

import { type HostModel, isClosed, onTraitChange } from "../frames/host-model.ts";
import { NoAnswer, Requests } from "../frames/requests.ts";

const PATIENCE = 1500; // ms in which the kernel's own update arrives
const WIDGET = "application/vnd.jupyter.widget-view+json";

/** The part of JupyterLab's model of a notebook that is used here. */
interface Outputs {
  length: number;
  get(index: number): { toJSON(): Output };
  set(index: number, output: Output): void;
}
interface Output {
  output_type: string;
  data?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
}
interface Notebook {
  cells: Iterable<{ outputs?: Outputs }>;
}

interface Place {
  outputs: Outputs;
  index: number;
  version: number;
}

/** Keep the snapshot of a model's board up to date in this page's notebook, as long as the page lives, where the host lets us. */
export function keepStill(model: HostModel, signal = new AbortController().signal) {
  const notebook = model.widget_manager?.context?.model as Partial<Notebook> | undefined;
  if (!notebook?.cells || !model.send) return;
  const requests = new Requests(model, signal);
  let timer: ReturnType<typeof setTimeout> | undefined;
  // A page that was there when the board was shown has its outputs until the user removes them, so only an older board's can be lost.
  let reports = Number(model.get("still") ?? 0) > 0;
  const look = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      void update(notebook as Notebook, model, requests, reports);
      reports = false;
    }, PATIENCE);
  };
  signal.addEventListener("abort", () => clearTimeout(timer));
  onTraitChange(model, ["still"], look, signal);
  look();
}

/**
 * Write the kernel's snapshot where the notebook has an older one. If it has none, although it has the board, report that, where the
 * page `reports` it. Without both, a reload has taken the cell's whole output, and the kernel would show the snapshot under another cell.
 */
async function update(notebook: Notebook, model: HostModel, requests: Requests, reports: boolean) {
  const keyframe = model.get("keyframe") as { header?: { session?: string } } | undefined;
  const session = keyframe?.header?.session;
  const version = Number(model.get("still") ?? 0);
  if (!session || !version || isClosed(model)) return;
  const places = placesOf(notebook, session);
  if (places.length && places.every(place => place.version >= version)) return;
  try {
    if (places.length) {
      const { content } = await requests.ask("still");
      if (!isClosed(model)) write(notebook, session, content);
    } else if (reports && hasBoard(notebook, model)) await requests.ask("lost");
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error; // the kernel is gone: what the notebook has is all there is
  }
}

function write(notebook: Notebook, session: string, { data, metadata }: Record<string, unknown>) {
  const output = { output_type: "display_data", data, metadata } as Output;
  for (const { outputs, index, version } of placesOf(notebook, session))
    if (version < versionOf(output, session)) outputs.set(index, output);
}

/** Return where a session's snapshot stands in the notebook. */
export function placesOf(notebook: Notebook, session: string): Place[] {
  return outputsOf(notebook).flatMap(({ outputs, index, output }) => {
    const version = versionOf(output, session);
    return version >= 0 ? [{ outputs, index, version }] : [];
  });
}

/** Whether the notebook has an output that is a view of the model. */
function hasBoard(notebook: Notebook, model: HostModel): boolean {
  return outputsOf(notebook).some(({ output }) => {
    const view = output.data?.[WIDGET] as { model_id?: string } | undefined;
    return view !== undefined && view.model_id === model.model_id;
  });
}

/** Return all outputs of the notebook, with where they are. */
function outputsOf(notebook: Notebook): { outputs: Outputs; index: number; output: Output }[] {
  return [...notebook.cells].flatMap(({ outputs }) =>
    outputs
      ? Array.from({ length: outputs.length }, (_, index) => ({
          outputs,
          index,
          output: outputs.get(index).toJSON(),
        }))
      : [],
  );
}

/** Return the version of an output that is a session's snapshot, else -1. */
function versionOf(output: Output, session: string): number {
  const mark = output.metadata?.trackbook as { session?: string; still?: number } | undefined;
  return mark?.session === session ? Number(mark?.still ?? 0) : -1;
}
