import type { View } from "vega";

interface VegaScale {
  (value: number): number;
  invert(pixel: number): number | Date;
  copy(): VegaScale;
}

const REACH = 8; // px beyond the frame that still count as its edge

/** One axis of a chart as it stands in the window: pixels from its start, which is left or top. */
export class PixelAxis {
  constructor(
    readonly start: number,
    readonly length: number,
    private readonly scale: VegaScale,
  ) {}

  /** The value at so many pixels, also beyond the ends. */
  invert(pixel: number): number {
    return Number(this.scale.invert(pixel));
  }

  /** The pixel of a value; null where that is not on the axis. */
  pixelOf(value: number): number | null {
    const pixel = this.scale(value);
    return pixel >= -0.5 && pixel <= this.length + 0.5 ? pixel : null;
  }

  /** Two places of the window, in pixels of the axis, in order, cut off at its ends. */
  span(from: number, to: number): [number, number] {
    const ends = [from, to].map(place => Math.min(this.length, Math.max(0, place - this.start)));
    return [Math.min(...ends), Math.max(...ends)];
  }

  includes(place: number): boolean {
    const pixel = place - this.start;
    return pixel >= -REACH && pixel <= this.length + REACH;
  }

  /** The axis as it is now, whatever becomes of the chart's. */
  frozen(): PixelAxis {
    return new PixelAxis(this.start, this.length, this.scale.copy());
  }
}

/** Both axes of a chart's frame. */
export class PlotArea {
  readonly x: PixelAxis;
  readonly y: PixelAxis;

  constructor(view: View, plot: HTMLElement) {
    const [box, origin, padding] = [plot.getBoundingClientRect(), view.origin(), view.padding()];
    const { left = 0, top = 0 } = typeof padding === "object" ? padding : {};
    const axis = (name: "x" | "y", start: number, length: string) =>
      new PixelAxis(start, view.signal(length), view.scale(name) as VegaScale);
    this.x = axis("x", box.left + left + origin[0], "width");
    this.y = axis("y", box.top + top + origin[1], "height");
  }

  contains({ clientX, clientY }: { clientX: number; clientY: number }): boolean {
    return this.x.includes(clientX) && this.y.includes(clientY);
  }
}
