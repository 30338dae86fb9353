/**
 * The `_esm` of a board in hosts with a widget manager. It gets the front end from a model that all boards of a
 * kernel share. `initialize` does not wait: after two seconds anywidget would drop it, and no messages would
 * arrive.
 */

import type { HostModel } from "../frames/host-model.ts";
import { type FrontEnd, importOnce, referredModel } from "./bundle.ts";

interface Props {
  model: HostModel;
  el: HTMLElement;
  signal?: AbortSignal;
}

const PATIENCE = 10_000; // ms for the shared model to appear, in hosts that restore widgets one by one
const PAUSE = 100;

// anywidget loads this module once per widget, and passes each view its own model object
let own: HostModel | undefined;

export default {
  initialize({ model }: Pick<Props, "model">) {
    own = model;
    frontEndOf(model).catch(() => {}); // starts loading early; `render` reports errors
  },

  async render({ model, el, signal }: Props) {
    let end: undefined | (() => void);
    try {
      const { default: board } = await frontEndOf(model);
      if (!signal?.aborted) end = board.render({ model, el, signal, shared: own });
    } catch (error) {
      console.warn("Trackbook:", error);
      el.textContent = "Trackbook's front end is not in this page: run the cell again to see the board.";
    }
    return () => end?.();
  },
};

async function frontEndOf(model: HostModel): Promise<FrontEnd> {
  const shared = await sharedModel(model, performance.now() + PATIENCE);
  return importOnce(String(shared.get("version")), String(shared.get("code")));
}

async function sharedModel(model: HostModel, deadline: number): Promise<HostModel> {
  const id = referredModel(model.get("front_end"));
  if (!id || !model.widget_manager) throw new Error("this board names no front end");
  try {
    return await model.widget_manager.get_model(id);
  } catch (error) {
    if (performance.now() > deadline) throw error;
  }
  await new Promise(resolve => setTimeout(resolve, PAUSE));
  return sharedModel(model, deadline);
}
