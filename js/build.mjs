import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { context, transform } from "esbuild";

const out = "../src/trackbook/_static";

/** Bundle style sheets as minified text. */
const styles = {
  name: "styles",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

/** The line specs differ only in x. Deriving them from the first one when they are loaded saves 18 KB. */
const lines = {
  name: "lines",
  setup({ onLoad }) {
    onLoad({ filter: /line-(relative|time|metric)\.json$/ }, ({ path }) => {
      const read = file => JSON.parse(readFileSync(file, "utf8"));
      const [first, own] = [read(path.replace(/line-\w+/, "line-step")), read(path)];
      const exchange = (spec, x) =>
        JSON.stringify(spec).replaceAll(JSON.stringify(spec.layer[0].encoding.x), () => x);
      const x = JSON.stringify(own.layer[0].encoding.x);
      if (exchange(first, x) !== JSON.stringify(own)) throw new Error(`not made of line-step.json: ${path}`);
      const contents = `import first from "./line-step.json";
        export default JSON.parse((${exchange})(first, ${JSON.stringify(x)}));`;
      return { contents, loader: "js", resolveDir: dirname(path) };
    });
  },
};

/** The sentences that explain settings are shown for those in the View menu alone; the others are 2 KB. */
const settings = {
  name: "settings",
  setup({ onLoad }) {
    onLoad({ filter: /view_settings\.json$/ }, ({ path }) => {
      const declared = Object.entries(JSON.parse(readFileSync(path, "utf8")));
      const used = declared.map(([name, { help, ...rest }]) => [name, rest.menu ? { help, ...rest } : rest]);
      return { contents: JSON.stringify(Object.fromEntries(used)), loader: "json" };
    });
  },
};

/** Transforms of Vega that Vega-Lite does not use are 59 KB: they are replaced by empty modules. */
const leftOut = {
  name: "left-out",
  setup({ onResolve, onLoad }) {
    const names = JSON.parse(readFileSync("left-out.json", "utf8"));
    onResolve({ filter: new RegExp(`^(${names.join("|")})$`) }, ({ path }) => ({
      path,
      namespace: "left-out",
    }));
    onLoad({ filter: /./, namespace: "left-out" }, () => ({ contents: "export {};" }));
  },
};

const shared = {
  bundle: true,
  minify: true,
  charset: "utf8",
  target: "es2022",
  platform: "browser",
  legalComments: "none", // all of them are in LICENSES.txt
  metafile: true,
  plugins: [styles, lines, settings, leftOut],
  logLevel: "info",
};

const builds = [
  { ...shared, entryPoints: ["src/index.ts"], format: "esm", outfile: `${out}/trackbook.js` },
  { ...shared, entryPoints: ["src/media/entry.ts"], format: "esm", outfile: `${out}/media.js` },
  ...["plotly", "echarts", "molecule", "object3d"].map(name => ({
    ...shared,
    entryPoints: [`src/viewers/${name}.ts`],
    format: "iife",
    outfile: `${out}/viewer-${name}.js`,
  })),
  { ...shared, entryPoints: ["src/hosts/loader.ts"], format: "esm", outfile: `${out}/loader.js` },
  { ...shared, entryPoints: ["src/hosts/fallback.ts"], format: "iife", outfile: `${out}/fallback.js` },
];

/** Packages that hold others within their own build. */
const PREBUILT = ["node_modules/3dmol"];

/** Write the licences of all bundled packages, which must be distributed with them. */
function writeLicenses(inputs) {
  const packages = new Set(inputs.flatMap(path => path.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/) ?? []));
  for (const folder of packages)
    if (PREBUILT.includes(folder)) {
      const { dependencies } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
      for (const name of Object.keys(dependencies)) packages.add(`node_modules/${name}`);
    }
  const texts = [...packages].sort().map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    const file = readdirSync(folder).find(entry => /^licen[cs]e/i.test(entry));
    return `${name} ${version} (${license})\n\n${file ? readFileSync(`${folder}/${file}`, "utf8").trim() : ""}\n`;
  });
  writeFileSync(`${out}/LICENSES.txt`, texts.join(`\n${"-".repeat(80)}\n\n`));
}

const inputs = [];
const watch = process.argv.includes("--watch");
for (const build of builds) {
  const task = await context(build);
  if (watch) await task.watch();
  else {
    const { metafile } = await task.rebuild().finally(() => task.dispose());
    inputs.push(...Object.keys(metafile.inputs));
  }
}
if (!watch) writeLicenses(inputs);
