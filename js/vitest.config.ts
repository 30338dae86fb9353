import { defineConfig } from "vitest/config";

// The default of 5 s fails on a busy machine; only a test that hangs should time out.
export default defineConfig({ test: { testTimeout: 60_000 } });
