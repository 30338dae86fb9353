import type { RunState } from "../frames/protocol.ts";

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
