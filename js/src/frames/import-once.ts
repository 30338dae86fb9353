/** Modules of the front end, evaluated once per page, however many boards bring them. */
export interface FrontEnd {
  // biome-ignore lint/suspicious/noExplicitAny: a module of another build with its own props
  default: { render(props: any): undefined | (() => void); keepStill?(model: any): void };
  mount(el: HTMLElement, saved: unknown): () => void;
}

declare global {
  var trackbookFrontEnds: Map<string, Promise<unknown>> | undefined;
}

export function importOnce<Module = FrontEnd>(version: string, code: string): Promise<Module> {
  globalThis.trackbookFrontEnds ??= new Map();
  const modules = globalThis.trackbookFrontEnds;
  const module = modules.get(version) ?? importText(code);
  modules.set(version, module);
  module.catch(() => modules.delete(version)); // the next board tries again
  return module as Promise<Module>;
}

async function importText(code: string): Promise<unknown> {
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    return await import(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Return the id in an ipywidgets reference to another widget; null if it is not one. */
export function referredModel(reference: unknown): string | null {
  const [, id] = String(reference ?? "").match(/^IPY_MODEL_(.+)$/) ?? [];
  return id ?? null;
}
