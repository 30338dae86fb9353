/** What a board passes to `media.js`, and the media that its kernel answers with. Types alone: both bundles import them. */
import type { createUserView } from "../charts/user-view.ts";
import type { Requests } from "../frames/requests.ts";
import type { Enlargeable } from "../ui/fullscreen.ts";
import type { TextLook, Theme } from "../ui/theme.ts";

export type MediaKind =
  | "image"
  | "audio"
  | "video"
  | "text"
  | "markdown"
  | "html"
  | "table"
  | "histogram"
  | "trace"
  | "chart"
  | "object3d"
  | "molecule"
  | "echarts"
  | "plotly"
  | "file";

/** One metric with media, of the trait `media`: `{"metrics": {name: {kind, count}}}`. */
export interface MediaEntry {
  metric: string;
  kind: MediaKind;
  /** The steps of all runs of the board. */
  count: number;
}

/** Names of classes by their ids. */
export type ClassNames = Readonly<Record<string, string>>;

/** A rectangle in shares of the image's width and height. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
  class?: number | null;
  scores?: Readonly<Record<string, number>>;
  caption?: string | null;
}

export interface BoxLayer {
  items: readonly Box[];
  labels?: ClassNames;
}

export interface MaskLayer {
  /** A grey PNG whose pixels are class ids. */
  file: string;
  labels?: ClassNames;
}

/** What is known of a medium without its file; every field depends on the kind. */
export interface About {
  width?: number;
  height?: number;
  boxes?: Readonly<Record<string, BoxLayer>>;
  masks?: Readonly<Record<string, MaskLayer>>;
  duration?: number;
  edges?: readonly number[];
  counts?: readonly number[];
  rows?: number;
  name?: string;
  /** Of a scene or a molecule: `glb`, `pdb`, ... */
  format?: string;
}

/** A medium: one item of a metric at a step. */
export interface MediaItem {
  run: string;
  step: number;
  /** Index within a list that was logged at once. */
  item: number;
  kind: MediaKind;
  /** The digest of its content, with its extension; null of a medium that is wholly in `about`. */
  file: string | null;
  size: number;
  mime: string;
  caption: string | null;
  about: About;
}

/** How a run is shown. */
export interface RunLook {
  id: string;
  label: string;
  color: string;
}

/** What changes while a panel lives. */
export interface MediaScene {
  entry: MediaEntry;
  /** The visible runs, the newest last. */
  runs: readonly RunLook[];
  theme: Theme;
  textLook: TextLook;
}

/** What a panel uses of its board. */
export interface MediaContext {
  requests: Pick<Requests, "ask">;
  /** The step that all panels show the media of; null is the newest. */
  step(): number | null;
  /** Choose the step of all panels, and mark it in the charts; `done` removes the mark. */
  point(step: number | null, done?: boolean): void;
  showLarge(panel: Enlargeable, name: string): void;
  /** Draws Vega-Lite specs: the main bundle has Vega. */
  createView: typeof createUserView;
  signal: AbortSignal;
}

/** The elements that a board makes for a panel before `media.js` is there. */
export interface PanelShell extends Enlargeable {
  metric: string;
  title: HTMLElement;
  plotElement: HTMLElement;
}

export interface MediaPanelHandle {
  update(scene: MediaScene): void;
  /** The shared step changed. */
  follow(): void;
}

/** What `media.js` exports. */
export interface MediaModule {
  openPanel(shell: PanelShell, context: MediaContext): MediaPanelHandle;
  /** Answer a question about media from what an exported page holds. */
  answerFromPage(
    contents: PageMedia,
    question: Readonly<Record<string, unknown>>,
    read: (element: string) => Promise<ArrayBuffer>,
  ): Promise<{ content: Record<string, unknown>; buffers: DataView[] }>;
}

/** The media of an exported page: ids of the elements that hold them. */
export interface PageMedia {
  rows: string | null;
  files: Readonly<Record<string, string>>;
  thumbnails: Readonly<Record<string, string>>;
  /** By the names of their files. */
  viewers?: Readonly<Record<string, string>>;
}
