import { Board } from "./board/board.ts";
import type { HostModel } from "./frames/host-model.ts";
import { shareStore, storeOf } from "./frames/picture-store.ts";
import { openExportedPage } from "./hosts/exported-page.ts";
import { replaceSavedPages } from "./hosts/page.ts";
import { keepStill } from "./hosts/stills.ts";

export { mount } from "./hosts/page.ts";
export { openSite } from "./hosts/site.ts";

interface Props {
  model: HostModel;
  el: HTMLElement;
  signal?: AbortSignal;
  /** The model that `initialize` received. It outlives every view. */
  shared?: HostModel;
}

export default {
  initialize({ model }: Pick<Props, "model">) {
    storeOf(model);
  },

  keepStill,

  render({ model, el, signal, shared }: Props) {
    if (shared) shareStore(model, shared);
    // Older hosts do not pass a signal; they call what `render` returns.
    const own = new AbortController();
    const ends = signal ? AbortSignal.any([signal, own.signal]) : own.signal;
    const store = storeOf(model);
    const replace = () => store.picture && replaceSavedPages(store.picture.session);
    store.subscribe(replace, ends);
    replace();
    new Board(el, model, { live: true, signal: ends });
    return () => own.abort();
  },
};

openExportedPage();
