/** The build of 3Dmol.js that needs no `eval`. */
declare module "3dmol/build/3Dmol.es6-min.js" {
  export { createViewer } from "3dmol";
}
