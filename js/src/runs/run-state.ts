import type { RunHeader, RunState } from "../frames/protocol.ts";

export const STATE_ICON: Record<RunState, string> = {
  running: "●",
  finished: "✓",
  failed: "✕",
  interrupted: "■",
  lost: "?",
};

export const STATE_HELP: Record<RunState, string> = {
  running: "The run is active",
  finished: "The run finished",
  failed: "The run ended with an exception",
  interrupted: "The run was interrupted",
  lost: "The process died before the run ended",
};

/** Return a run's duration in seconds, until `now` while it runs; undefined if its end is unknown. */
export function durationOf(
  { state, started, ended }: Pick<RunHeader, "state" | "started" | "ended">,
  now: number,
): number | undefined {
  const end = ended ?? (state === "running" ? now : null);
  return end === null ? undefined : end - started;
}
