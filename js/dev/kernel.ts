/** A model whose kernel answers the questions of the run details, for the gallery. */
import { FakeModel } from "../test/fixtures.ts";

const BEGAN = Math.floor(Date.now() / 1000) - 200;
const TEXTS: readonly ((i: number) => [stream: string, text: string])[] = [
  i => [
    "stdout",
    `epoch ${Math.floor(i / 5)}  loss ${(2.3 * Math.exp(-i / 4000)).toFixed(4)}  acc 0.${i % 90}`,
  ],
  i => ["stdout", `  val: accuracy=0.${800 + (i % 190)}  f1=0.${700 + (i % 250)}`],
  i => ["stderr", `${i % 100}%|${"█".repeat(i % 20)}| ${i}/25000 [00:${10 + (i % 50)}<01:12, 142.21it/s]`],
  i => ["log", `2026-11-22 03:06:28 INFO trainer: checkpoint written to /tmp/models/${i}.safetensors`],
  () => ["stderr", "UserWarning: <b>lr_scheduler.step()</b> was called before optimizer.step()"],
];
const lines = Array.from({ length: 25_000 }, (_, i) => {
  const [stream, text] = i === 12_000 ? ["cut", "12,345 lines left out"] : TEXTS[i % 5](i);
  return [i, stream, text, BEGAN + i / 100, null] as const;
});
const TRAINING = `for epoch in range(100):
    loss = train(model, batches, lr=LR)
    if epoch % 10 == 0:
        tb.log({"train/loss": loss, "val/acc": evaluate(model)})`;
const cell = { started: BEGAN, ended: BEGAN + 0.02, state: "ok", error: null };
const answers: Record<string, (question: Record<string, unknown>) => object> = {
  console: ({ before, since, after, search }) => {
    if (typeof after === "number") {
      const i = lines.length;
      lines.push([i, ...TEXTS[i % 5](i), Date.now() / 1000, null]);
      return { lines: lines.slice(Math.max(0, after - 99)), more: false };
    }
    if (search) {
      const text = String(search).toLowerCase();
      return { found: lines.flatMap(([i, , line]) => (line.toLowerCase().includes(text) ? [i] : [])) };
    }
    const end = (before as number | undefined) ?? lines.length;
    const first = Math.max(0, Math.min(end - 1000, (since as number | undefined) ?? end));
    return { lines: lines.slice(first, end), earlier: first };
  },
  cells: () => ({
    cells: [
      { ...cell, count: 3, source: "import trackbook as tb\n\nLR = 3e-4" },
      { ...cell, count: 5, source: TRAINING, ended: BEGAN + 93 },
      {
        ...cell,
        count: 6,
        source: "model.save(path)",
        state: "error",
        error:
          'Traceback (most recent call last):\n  Cell In[6], line 1\nNameError: name "path" is not defined',
      },
    ],
    earlier: 0,
    dirty: ["Cell [5] ran before cell [3], which stands above it."],
  }),
  environment: () => ({
    environment: {
      os: { name: "Linux", version: "6.1.0-18-amd64", hostname: "node-17" },
      cpu: { model: "AMD EPYC 7763 64-Core Processor", physical: 64, logical: 128 },
      memory: { total_gb: 503.2 },
      gpus: [{ name: "NVIDIA A100-SXM4-80GB", memory_gb: 80, driver: "550.54" }],
      python: { version: "3.12.4", executable: "/home/ada/venvs/digits/bin/python" },
      packages: Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`package-${i}`, `1.${i}.0`])),
      git: {
        branch: "main",
        commit: "9f2d1c07c1",
        dirty: true,
        diff: "--- a/train.py\n+++ b/train.py\n@@ -1,3 +1,3 @@\n-LR = 1e-3\n+LR = 3e-4",
      },
      notebook: { name: "digits.ipynb", path: null },
    },
  }),
};

export class Kernel extends FakeModel {
  send(content: unknown) {
    const { ask, id, ...question } = content as Record<string, unknown>;
    const answer = { answers: id, ...answers[String(ask)]?.(question) };
    setTimeout(() => {
      for (const hear of this.listeners.get("msg:custom") ?? []) {
        (hear as (...of: unknown[]) => void)(answer, []);
      }
    }, 50);
  }
}
