/**
 * The `_esm` of a board in hosts with a widget manager. It gets the front end from a model that all boards of a
 * kernel share. `initialize` does not wait: after two seconds anywidget would drop it, and no messages would
 * arrive. `render` waits as long as the page lives: on a busy machine the shared model may come long after its boards.
 */

import type { HostModel } from "../frames/host-model.ts";
import { type FrontEnd, importOnce, referredModel } from "../frames/import-once.ts";
import { reclaimLostOutputs } from "./lost-outputs.ts";

interface Props {
  model: HostModel;
  el: HTMLElement;
  signal?: AbortSignal;
}

const FIRST_PAUSE = 100; // ms between two attempts
const LONGEST_PAUSE = 2000;
const SLOWER = 1.5;
const TELL_AFTER = 2000; // ms
const EARLY = 30_000; // ms in which the front end of a model without a view is looked for

const WAITING =
  "Waiting for the front end of this board, which its kernel sends once for all boards. " +
  "If that kernel is gone, run the cell again.";

// anywidget loads this module once per widget, and passes each view its own model object
let own: HostModel | undefined;

export default {
  initialize({ model }: Pick<Props, "model">) {
    own = model;
    void drawLostOutputs(model);
  },

  render({ model, el, signal }: Props) {
    const view = new AbortController();
    const ends = signal ? AbortSignal.any([signal, view.signal]) : view.signal;
    let end: undefined | (() => void);
    waitForFrontEnd(model, el, ends)
      .then(frontEnd => {
        end = frontEnd?.default.render({ model, el, signal, shared: own });
      })
      .catch(error => {
        console.error("Trackbook:", error);
        el.textContent = `This board could not be drawn: ${error}`;
      });
    return () => {
      view.abort();
      end?.();
    };
  },
};

/** Draw the boards of this model that the host gave up before the model was there; else only start loading early. */
async function drawLostOutputs(model: HostModel) {
  const frontEnd = await keepTrying(model, AbortSignal.timeout(EARLY), () => {});
  const keyframe = model.get("keyframe") as { header?: { session?: string } } | undefined;
  const session = keyframe?.header?.session;
  if (!frontEnd || !session) return;
  frontEnd.default.keepStill?.(model);
  for (const el of reclaimLostOutputs(session)) frontEnd.default.render({ model, el });
}

/** Try until the front end is there; null if the view ends first. After a while, tell the reader. */
async function waitForFrontEnd(
  model: HostModel,
  el: HTMLElement,
  ends: AbortSignal,
): Promise<FrontEnd | null> {
  const tell = setTimeout(() => {
    el.textContent = WAITING;
  }, TELL_AFTER);
  ends.addEventListener("abort", () => clearTimeout(tell));
  let told = "";
  const frontEnd = await keepTrying(model, ends, error => {
    if (String(error) !== told) console.warn("Trackbook:", error);
    told = String(error);
  });
  clearTimeout(tell);
  if (frontEnd) el.replaceChildren();
  return frontEnd;
}

async function keepTrying(
  model: HostModel,
  ends: AbortSignal,
  onError: (error: unknown) => void,
): Promise<FrontEnd | null> {
  for (let pause = FIRST_PAUSE; !ends.aborted; pause = Math.min(pause * SLOWER, LONGEST_PAUSE)) {
    try {
      const frontEnd = await frontEndOf(model);
      return ends.aborted ? null : frontEnd;
    } catch (error) {
      onError(error);
    }
    await new Promise(resolve => setTimeout(resolve, pause));
  }
  return null;
}

async function frontEndOf(model: HostModel): Promise<FrontEnd> {
  const id = referredModel(model.get("front_end"));
  if (!id || !model.widget_manager) throw new Error("this board does not name a front end");
  const shared = await model.widget_manager.get_model(id);
  return importOnce(String(shared.get("version")), String(shared.get("code")));
}
