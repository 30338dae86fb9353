/** The interface of hosts: the part of anywidget's AnyModel that a board uses. */
export interface HostModel {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, listener: (...of: unknown[]) => void): void;
  off(event: string, listener: (...of: unknown[]) => void): void;
  /** Send a message to the kernel, which answers with the event `msg:custom`. Missing where there is no kernel. */
  send?(content: unknown): void;
  /** Return the address of a run's own page. Missing where runs have none. */
  runPage?(id: string): string;
  /** Import a built file of the front end. Missing where its code comes from the kernel. */
  importFile?(name: string): Promise<unknown>;
  /** The text for a silent kernel while a run is active; by default that the kernel does not respond. */
  silence?: string;
  /** Why what answers cannot change runs; empty or missing where it can. */
  readOnly?: string;
  /** The id of the widget's model in Jupyter; missing in other hosts. */
  model_id?: string;
  /** Jupyter's manager of the widgets in this page; missing in other hosts. */
  widget_manager?: {
    get_model(id: string): Promise<HostModel>;
    kernel?: unknown;
    context?: { isDisposed?: boolean; model?: unknown }; // of the notebook, in JupyterLab
  };
}

/** Whether the user has closed the notebook of a model, which JupyterLab keeps: nothing can be sent, and there is nothing to write to. */
export function isClosed(model: HostModel): boolean {
  return model.widget_manager?.context?.isDisposed === true;
}

export function onTraitChange(
  model: HostModel,
  traits: readonly string[],
  listener: () => void,
  signal?: AbortSignal,
) {
  if (signal?.aborted) return;
  for (const trait of traits) model.on(`change:${trait}`, listener);
  signal?.addEventListener("abort", () => {
    for (const trait of traits) model.off(`change:${trait}`, listener);
  });
}
