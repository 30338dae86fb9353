/** Where the tiles of a gallery stand: pure. */

export const TILE_GAP = 8; // px between tiles; as in media.css
const LEAST_TILE = 104; // px of width below which a gallery scrolls instead
const USUAL_TILE = 132; // px of a tile in a gallery that scrolls
const LEAST_FILLED = 0.6; // of the width of columns
const ASPECTS = [0.4, 1.6] as const; // height by width of a tile

export interface GalleryLayout {
  columns: number;
  /** Width of a tile. */
  width: number;
  /** Height of its picture. */
  height: number;
  /** Height of a row with its gap. */
  row: number;
}

export interface GallerySpace {
  width: number;
  height: number;
  /** px under each picture for its words. */
  words: number;
}

/** Return the shape of tiles for images of this shape. */
export function tileAspect(width: number | undefined, height: number | undefined): number {
  const aspect = width && height ? height / width : 1;
  return Math.min(ASPECTS[1], Math.max(ASPECTS[0], aspect));
}

/**
 * Lay out `count` tiles: as large as all of them fit without scrolling, or of a usual size in rows that scroll. `columns` are the
 * runs that stand side by side; `asked` is a number of columns that the reader chose.
 */
export function layOut(
  count: number,
  space: GallerySpace,
  aspect: number,
  { columns: fixed, asked }: { columns?: number | undefined; asked?: number | undefined } = {},
): GalleryLayout {
  const of = (columns: number): GalleryLayout => {
    const width = Math.max(1, Math.floor((space.width - TILE_GAP * (columns - 1)) / columns));
    const height = Math.max(1, Math.round(width * aspect));
    return { columns, width, height, row: height + space.words + TILE_GAP };
  };
  if (asked && !fixed) return of(asked);
  const most = fixed ?? Math.max(1, Math.min(count, usualColumns(space.width)));
  const tries = fixed ? [fixed] : Array.from({ length: Math.min(count, 12) }, (_, i) => i + 1);
  const fits = tries
    .map(columns => capped(of(columns), Math.ceil(count / columns), space, aspect))
    .filter(({ width }) => width >= LEAST_TILE || fixed)
    .sort((a, b) => b.width - a.width);
  const [best] = fits;
  const usual = of(most);
  // columns of runs rather scroll than leave half of the panel empty
  if (best && (!fixed || best.width >= usual.width * LEAST_FILLED)) return best;
  return fixed ? capped(usual, 1, space, aspect) : usual;
}

/** Make tiles as small as their rows fit into the height. */
function capped(layout: GalleryLayout, rows: number, space: GallerySpace, aspect: number): GalleryLayout {
  const high = Math.floor(space.height / rows) - space.words - TILE_GAP;
  if (high >= layout.height) return layout;
  const height = Math.max(1, high);
  return { ...layout, width: Math.round(height / aspect), height, row: height + space.words + TILE_GAP };
}

/** How many tiles stand side by side in a gallery that scrolls. */
export function usualColumns(width: number): number {
  return Math.max(1, Math.floor((width + TILE_GAP) / (USUAL_TILE + TILE_GAP)));
}

/** How many runs can stand side by side. */
export function mostColumns(width: number): number {
  return Math.max(1, Math.floor((width + TILE_GAP) / (LEAST_TILE + TILE_GAP)));
}
