/** Synthetic media for the gallery: pictures, sounds, documents, tables, histograms and traces of two or three runs. */
import { type Logged, MediaModel, medium } from "../test/media-fixtures.ts";

const RUNS = ["id0", "id1", "id2"];
const random = (seed: number) => {
  let state = seed * 7919 + 17;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
};

/** Draw a picture that depends on its name. */
async function picture(name: string, size: number): Promise<ArrayBuffer> {
  const [, width, height, seed, share] = (name.match(/(\d+)x(\d+)-(\d+)-(\d+)/) ?? ["", 320, 240, 1, 50]).map(
    Number,
  );
  const scale = Math.min(1, size / Math.max(width, height));
  const canvas = new OffscreenCanvas(Math.max(1, width * scale), Math.max(1, height * scale));
  const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
  context.scale(scale, scale);
  const next = random(seed);
  if (name.startsWith("mask")) {
    context.fillStyle = "rgb(1,1,1)";
    context.fillRect(width * 0.1, height * 0.5, width * 0.8, height * 0.5);
    context.fillStyle = "rgb(2,2,2)";
    context.beginPath();
    context.arc(width * 0.5, height * 0.45, height * 0.25, 0, 7);
    context.fill();
  } else {
    const sky = context.createLinearGradient(0, 0, width, height);
    sky.addColorStop(0, `hsl(${next() * 360} 60% 62%)`);
    sky.addColorStop(1, `hsl(${next() * 360} 55% 38%)`);
    context.fillStyle = sky;
    context.fillRect(0, 0, width, height);
    for (let i = 0; i < 14; i++) {
      context.fillStyle = `hsl(${next() * 360} 70% ${30 + next() * 50}% / ${(share / 100) * 0.8})`;
      context.beginPath();
      context.arc(next() * width, next() * height, (next() * height) / 3, 0, 7);
      context.fill();
    }
    const noise = 1 - share / 100;
    for (let i = 0; i < 1500 * noise; i++) {
      context.fillStyle = `hsl(0 0% ${next() * 100}%)`;
      context.fillRect(next() * width, next() * height, 3, 3);
    }
  }
  return (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer();
}

function sound(seed: number): ArrayBuffer {
  const rate = 8000;
  const count = rate * 3;
  const data = new DataView(new ArrayBuffer(44 + 2 * count));
  const text = (at: number, letters: string) =>
    [...letters].forEach((c, i) => {
      data.setUint8(at + i, c.charCodeAt(0));
    });
  text(0, "RIFF");
  data.setUint32(4, 36 + 2 * count, true);
  text(8, "WAVEfmt ");
  for (const [at, value, bytes] of [
    [16, 16, 4],
    [20, 1, 2],
    [22, 1, 2],
    [24, rate, 4],
    [28, 2 * rate, 4],
    [32, 2, 2],
    [34, 16, 2],
  ])
    bytes === 4 ? data.setUint32(at, value, true) : data.setUint16(at, value, true);
  text(36, "data");
  data.setUint32(40, 2 * count, true);
  for (let i = 0; i < count; i++)
    data.setInt16(44 + 2 * i, 9000 * Math.sin(i * (0.1 + seed / 20)) * Math.exp(-((i % 8000) / 3000)), true);
  return data.buffer;
}

const NOTES = `# Evaluation at epoch 12

The model still confuses **cats** and _small dogs_; see \`confusion.png\`.

- [x] more data
- [ ] longer warm-up

| class | recall |
|---|---|
| cat | 0.81 |
| dog | 0.77 |

> Hostile: <img src=x onerror="document.title='hacked'"> [click](javascript:alert(1))
`;
const PAGE = `<h2 style="font-family:sans-serif">Attention</h2><p style="font:14px sans-serif">Which <b style="background:#ffd54f">words</b> the head <b style="background:#ffecb3">looks</b> at.</p><script>parent.document.title='hacked'</script><img src=x onerror="parent.document.title='hacked'"><svg width="200" height="60"><rect width="120" height="20" fill="steelblue"/><rect y="26" width="80" height="20" fill="orange"/></svg>`;
const LOG = "Once upon a time there was a model.\n".repeat(20);
const TRACE = {
  messages: [
    { role: "system", content: "You are a careful assistant that plans trips." },
    { role: "user", content: "What is the weather in **Oslo** tomorrow?" },
    {
      role: "assistant",
      content: "",
      tool_calls: [{ name: "get_weather", arguments: { city: "Oslo", days: 1 } }],
    },
    {
      role: "tool",
      name: "get_weather",
      content: '{"temperature": -3, "sky": "snow", "wind": {"speed": 4, "from": "N"}}',
    },
    {
      role: "assistant",
      content: "Snow at −3 °C, with light wind.\n\n- Take a warm coat\n- Leave `15 min` early",
    },
  ],
};
const ROC = {
  data: { values: Array.from({ length: 50 }, (_, i) => ({ fpr: i / 49, tpr: (i / 49) ** 0.3 })) },
  mark: "line",
  encoding: { x: { field: "fpr", type: "quantitative" }, y: { field: "tpr", type: "quantitative" } },
};
const TABLE = {
  columns: [
    { name: "id", type: "number" },
    { name: "image", type: "media" },
    { name: "prompt", type: "string" },
    { name: "score", type: "number" },
    { name: "correct", type: "bool" },
  ],
  rows: Array.from({ length: 5000 }, (_, i) => [
    i,
    medium({ file: `img160x120-${i}-80.png`, caption: `sample ${i}` }),
    i % 7 ? `a photo of object ${i}` : "<img src=x onerror=alert(1)>",
    Math.round(1e4 * Math.abs(Math.sin(i))) / 1e4,
    i % 3 === 0,
  ]),
};

function gaussian(step: number, run: number) {
  const [mean, spread] = [step / 300 - run / 5, 0.3 + step / 400];
  const edges = Array.from({ length: 65 }, (_, i) => mean + spread * (i / 8 - 4));
  const counts = edges
    .slice(1)
    .map((_, i) => Math.round(1000 * Math.exp(-(((i - 32) / 12) ** 2)) * (1 + Math.sin(i * step) / 6)));
  return { edges, counts };
}

export function logged(): Logged[] {
  const items: Logged[] = [];
  const add = (metric: string, more: Partial<Logged>) => items.push(medium({ metric, ...more }));
  for (const [r, run] of RUNS.entries())
    for (let step = 0; step < 500; step += 40) {
      const share = Math.min(95, 10 + step / 4 - r * 15);
      for (let item = 0; item < 4; item++) {
        const items = [
          { x: 0.1, y: 0.2, width: 0.35, height: 0.4, class: 1, scores: { score: 0.9 } },
          { x: 0.5, y: 0.4, width: 0.3, height: 0.45, class: 2, scores: { score: 0.55 } },
        ];
        const boxes = { predictions: { items, labels: { 1: "cat", 2: "dog" } } };
        const masks = { ground: { file: "mask320x240-1-1.png", labels: { 1: "road", 2: "tree" } } };
        const about = { width: 320, height: 240, ...(item === 0 ? { boxes, masks } : {}) };
        const file = `img320x240-${item + 3}-${Math.max(5, Math.round(share))}.png`;
        add("samples/reconstructions", {
          run,
          step,
          item,
          file,
          size: 40_000,
          caption: ["a cat", "a boat", "two dogs", "a street"][item],
          about,
        });
      }
      add("weights/layer1", { run, step, kind: "histogram", file: null, about: gaussian(step, r) });
      if (r < 2 && step === 440) {
        add("chat/trace", { run, step, kind: "trace", file: "trace.json", mime: "application/json" });
        add("eval/roc", { run, step, kind: "chart", file: "roc.json", mime: "application/json" });
      }
      if (r < 2 && step % 200 === 0)
        add("samples/speech", {
          run,
          step,
          kind: "audio",
          file: `s${r + 1}.wav`,
          mime: "audio/wav",
          caption: "hello world",
          about: { duration: 3 },
        });
    }
  for (let step = 0; step < 10_000; step++)
    add("digits/x", {
      run: "id0",
      step,
      file: `img28x28-${step}-${90}.png`,
      about: { width: 28, height: 28 },
    });
  add("notes", { kind: "markdown", file: "notes.md", step: 12 });
  add("eval/page", { kind: "html", file: "page.html", step: 12 });
  add("eval/predictions", {
    kind: "table",
    file: "table.json",
    step: 12,
    about: { rows: 5000 },
  });
  add("eval/model", {
    kind: "object3d",
    file: "m.glb",
    size: 2_400_000,
    step: 12,
    about: { name: "bunny.glb" },
  });
  add("eval/log", {
    kind: "text",
    file: "log.txt",
    step: 12,
    caption: "sample",
  });
  return items;
}

const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).buffer as ArrayBuffer;

export function mediaModel(traits: Record<string, unknown>): MediaModel {
  const contents = async (name: string) => {
    if (name.endsWith(".wav")) return sound(Number(name[1]));
    const texts: Record<string, string> = { "notes.md": NOTES, "page.html": PAGE, "log.txt": LOG };
    if (Object.hasOwn(texts, name)) return new TextEncoder().encode(texts[name]).buffer as ArrayBuffer;
    if (name === "trace.json") return text(TRACE);
    if (name === "roc.json") return text(ROC);
    return picture(name, 4000);
  };
  return new MediaModel(logged(), traits, contents, name => picture(name, 256), {
    "table.json": { ...TABLE, data: TABLE.columns.map((_, i) => TABLE.rows.map(row => row[i])) },
  });
}
