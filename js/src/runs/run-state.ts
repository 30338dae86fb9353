import type { RunHeader, RunState } from "../frames/protocol.ts";

export const STATE_ICON: Record<RunState, string> = {
  running: "●",
  finished: "✓",
  failed: "✕",
  interrupted: "■",
  lost: "?",
};

export const STATE_HELP: Record<RunState, string> = {
  running: "The run is going on",
  finished: "The run ended by itself",
  failed: "The run ended with an exception",
  interrupted: "The run was interrupted",
  lost: "The process of this run is gone, and did not say goodbye",
};

/** Return a run's duration in seconds, until `now` while it runs; undefined if its end is unknown. */
export function durationOf(
  { state, started, ended }: Pick<RunHeader, "state" | "started" | "ended">,
  now: number,
): number | undefined {
  const end = ended ?? (state === "running" ? now : null);
  return end === null ? undefined : end - started;
}
