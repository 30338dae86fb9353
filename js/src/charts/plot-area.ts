import type { View } from "vega";

interface VegaScale {
  (value: number): number;
  invert(pixel: number): number | Date;
  copy(): VegaScale;
}

const REACH = 8; // px beyond the plot area that count as its edge

/** An axis of a chart on screen, in pixels from its start (left or top). */
export class PixelAxis {
  constructor(
    readonly start: number,
    readonly length: number,
    private readonly scale: VegaScale,
  ) {}

  /** Return the value at a pixel, which may lie beyond the ends. */
  invert(pixel: number): number {
    return Number(this.scale.invert(pixel));
  }

  /** Return the pixel of a value; null if it is not on the axis. */
  pixelOf(value: number): number | null {
    const pixel = this.scale(value);
    return pixel >= -0.5 && pixel <= this.length + 0.5 ? pixel : null;
  }

  /** Return the pixel of a value, which may lie beyond the ends. */
  at(value: number): number {
    return this.scale(value);
  }

  /** Convert two window coordinates to ordered pixels of the axis, clipped to its ends. */
  span(from: number, to: number): [number, number] {
    const ends = [from, to].map(place => Math.min(this.length, Math.max(0, place - this.start)));
    return [Math.min(...ends), Math.max(...ends)];
  }

  includes(place: number): boolean {
    const pixel = place - this.start;
    return pixel >= -REACH && pixel <= this.length + REACH;
  }

  /** Return a copy that later changes of the chart do not affect. */
  frozen(): PixelAxis {
    return new PixelAxis(this.start, this.length, this.scale.copy());
  }
}

/** The two axes that frame a chart's plot. */
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
