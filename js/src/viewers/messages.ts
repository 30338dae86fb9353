/** What a board and the frame of a viewer say to each other. Types alone: both bundles import them. */

/** Colours and font of the board around a viewer, as style sheets have them. */
export interface ViewerLook {
  dark: boolean;
  ground: string;
  text: string;
  line: string;
  font: string;
}

/** What a board asks a frame that it has loaded. */
export interface Hello {
  hello: true;
}

/** Draw a file, in place of what is drawn. */
export interface DrawCall {
  /** Returned in the answer. */
  id: number;
  data: ArrayBuffer;
  /** The file's format: `json`, `pdb`, `glb`, ... */
  format: string;
  /** Describes what is drawn to those who do not see it. */
  name: string;
  look: ViewerLook;
}

/** The frame is there, or it has drawn a file, or says why it cannot. */
export type FrameAnswer = { viewer: "ready" } | { viewer: "drawn"; id: number; problem?: string };
