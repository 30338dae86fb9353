import type { RunHeader, RunState } from "../frames/protocol.ts";
import type { RunEntry } from "../frames/runs-table.ts";
import { formatAgo } from "../ui/format.ts";

export const STATE_ICON: Record<RunState, string> = {
  running: "●",
  finished: "✓",
  failed: "✕",
  interrupted: "■",
  lost: "?",
};

/** A running run whose process may be dead. */
export const UNSEEN_ICON = "○";

export const STATE_HELP: Record<RunState, string> = {
  running: "The run is active",
  finished: "The run finished",
  failed: "The run ended with an exception",
  interrupted: "The run was interrupted",
  lost: "The process died before the run ended",
};

/** Return when a running run was last seen, in words; empty while its process shows signs of life. */
export function lastSeen({ state, seen }: Pick<RunEntry, "state" | "seen">, now: number): string {
  return state === "running" && seen ? `running, last seen ${formatAgo(now - seen)}` : "";
}

/** Return a run's duration in seconds, until `now` while it runs; undefined if its end is unknown. */
export function durationOf(
  { state, started, ended, seen }: Pick<RunHeader, "state" | "started" | "ended"> & Pick<RunEntry, "seen">,
  now: number,
): number | undefined {
  const end = ended ?? (state === "running" ? (seen ?? now) : null);
  return end === null ? undefined : end - started;
}
