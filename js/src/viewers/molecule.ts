/** Draws molecules by 3Dmol.js: proteins as ribbons, others as balls and sticks. */
import type { GLViewer } from "3dmol";
import { createViewer } from "3dmol/build/3Dmol.es6-min.js";
import { serveViewer } from "./frame.ts";
import type { DrawCall } from "./messages.ts";
import { control, needWebGL } from "./scene.ts";

const PARSERS: Readonly<Record<string, string>> = {
  pdb: "pdb",
  pqr: "pqr",
  mmcif: "cif",
  mcif: "cif",
  cif: "cif",
  sdf: "sdf",
  sd: "sdf",
  mol: "sdf",
  mol2: "mol2",
  gro: "gro",
  xyz: "xyz",
};
const NO_COORDINATES =
  "a SMILES text says nothing of places in space; log a molecule of RDKit with a conformation, or its SDF";
const STICKS = { stick: { radius: 0.14 }, sphere: { scale: 0.24 } };
const LEAST_CHAIN = 5; // amino acids or nucleotides of a chain that is drawn as a ribbon
const DEGREES = 180 / Math.PI;

let viewer: GLViewer | undefined;

serveViewer((place, call) => {
  needWebGL();
  const [text, parser] = [textOf(call), PARSERS[call.format]];
  viewer ??= opened(place);
  viewer.removeAllModels();
  viewer.setBackgroundColor("white", 0);
  const model = viewer.addModel(text, parser as string);
  const atoms = model.selectedAtoms({}) as { atom?: string; hetflag?: boolean }[];
  if (!atoms.length) throw new Error(`there are no atoms of ${call.format} format in it`);
  viewer.setStyle({}, STICKS);
  const backbone = atoms.filter(({ atom, hetflag }) => !hetflag && (atom === "CA" || atom === "P"));
  if (backbone.length >= LEAST_CHAIN) {
    viewer.setStyle({ hetflag: false }, { cartoon: { color: "spectrum" } });
    for (const resn of ["HOH", "WAT"]) viewer.setStyle({ resn }, {});
  }
  viewer.zoomTo();
  viewer.render();
});

function textOf({ data, format }: DrawCall): string {
  if (format === "smi") throw new Error(NO_COORDINATES);
  if (!PARSERS[format]) throw new Error(`there is no viewer of ${format} files`);
  return new TextDecoder().decode(data);
}

function opened(place: HTMLElement): GLViewer {
  const made = createViewer(place, { backgroundAlpha: 0 });
  control({
    turn: (right, down) => {
      made.rotate(right * DEGREES, "y");
      made.rotate(down * DEGREES, "x");
    },
    zoom: factor => made.zoom(factor),
    resize: () => made.resize(),
  });
  return made;
}
