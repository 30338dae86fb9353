/**
 * The `_esm` of a board in hosts with a widget manager. It gets the front end from a model that all boards of a
 * kernel share. `initialize` does not wait: after two seconds anywidget would drop it, and no messages would
 * arrive. `render` waits as long as the page lives: on a busy machine the shared model may come long after its boards.
 */

import type { HostModel } from "../frames/host-model.ts";
import { type FrontEnd, importOnce, referredModel } from "./bundle.ts";

interface Props {
  model: HostModel;
  el: HTMLElement;
  signal?: AbortSignal;
}

const FIRST_PAUSE = 100; // ms between two attempts
const LONGEST_PAUSE = 2000;
const SLOWER = 1.5;
const TELL_AFTER = 2000; // ms

const WAITING =
  "Waiting for the front end of this board, which its kernel sends once for all boards. " +
  "If that kernel is gone, run the cell again.";

// anywidget loads this module once per widget, and passes each view its own model object
let own: HostModel | undefined;

export default {
  initialize({ model }: Pick<Props, "model">) {
    own = model;
    frontEndOf(model).catch(() => {}); // starts loading early; `render` tries again
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
  for (let pause = FIRST_PAUSE; !ends.aborted; pause = Math.min(pause * SLOWER, LONGEST_PAUSE)) {
    try {
      const frontEnd = await frontEndOf(model);
      if (ends.aborted) break;
      clearTimeout(tell);
      el.replaceChildren();
      return frontEnd;
    } catch (error) {
      if (String(error) !== told) console.warn("Trackbook:", error);
      told = String(error);
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
