/** What viewers of scenes in three dimensions share. */

const TURN = 0.15; // radians a key
const ZOOM = 1.15;
const KEYS: Readonly<Record<string, readonly [right: number, down: number]>> = {
  ArrowLeft: [-TURN, 0],
  ArrowRight: [TURN, 0],
  ArrowUp: [0, -TURN],
  ArrowDown: [0, TURN],
};

export interface Scene {
  /** Turn what is shown, in radians. */
  turn(right: number, down: number): void;
  /** Enlarge what is shown. */
  zoom(factor: number): void;
  resize(): void;
}

/** Throw an error in words where there is no WebGL. */
export function needWebGL() {
  if (!document.createElement("canvas").getContext("webgl2"))
    throw new Error("this browser has no WebGL here");
}

/** Turn a scene by the arrow keys, zoom it by + and −, and fit it to the frame. */
export function control(scene: Scene) {
  addEventListener("resize", () => scene.resize());
  addEventListener("keydown", event => {
    const turn = KEYS[event.key];
    const factor = { "+": ZOOM, "=": ZOOM, "-": 1 / ZOOM }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || !(turn || factor)) return;
    event.preventDefault();
    if (turn) scene.turn(...turn);
    else scene.zoom(factor as number);
  });
}
