import { context } from "esbuild";

const out = "../src/trackbook/_static";

const shared = {
  bundle: true,
  minify: true,
  charset: "utf8",
  target: "es2022",
  platform: "browser",
  legalComments: "none",
  loader: { ".css": "text" },
  logLevel: "info",
};

const builds = [
  { ...shared, entryPoints: ["src/index.ts"], format: "esm", outfile: `${out}/trackbook.js` },
  { ...shared, entryPoints: ["src/hosts/fallback.ts"], format: "iife", outfile: `${out}/fallback.js` },
];

const watch = process.argv.includes("--watch");
for (const build of builds) {
  const task = await context(build);
  if (watch) await task.watch();
  else await task.rebuild().finally(() => task.dispose());
}
