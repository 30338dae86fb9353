import type { HostModel } from "../frames/host-model.ts";
import type { RunHeader } from "../frames/protocol.ts";
import { decodeRunsTable } from "../frames/runs-table.ts";
import { lastSeen } from "../runs/run-state.ts";

/** Return whether the board's kernel is writing the run. */
export function isWrittenHere(model: HostModel, { id, state }: RunHeader): boolean {
  return state === "running" && isOpen(model, id);
}

/** Return when the kernel that writes a run became idle, in seconds UTC; null while it runs a cell. */
export function idleSince(model: HostModel, { id }: RunHeader): number | null {
  const since = model.get("idle_since");
  return typeof since === "number" && isOpen(model, id) ? since : null;
}

/** Return when the process of a running run was last seen, in words; empty while it shows signs of life. */
export function unseen(model: HostModel, { id, state }: RunHeader, now: number): string {
  if (state !== "running") return "";
  const entry = decodeRunsTable(model.get("table")).runs.find(run => run.id === id);
  return entry ? lastSeen(entry, now) : "";
}

function isOpen(model: HostModel, id: string): boolean {
  return ((model.get("open_runs") ?? []) as readonly string[]).includes(id);
}
