/*
 * Markers and block bounds. A marker is a container of zero records that an aggregator appends to end an open
 * block; every Avro reader finds no records in it. It may carry new bounds, in force from the next block on, so
 * that the ends of blocks depend on the log alone, not on the reader or its configuration.
 */

export type BlockBounds = { readonly rowsMax: number; readonly bytesMax: number };

/** In force from offset 0 until a marker says otherwise. Never change: old logs would be cut into other blocks. */
export const INITIAL_BOUNDS: BlockBounds = { rowsMax: 200_000, bytesMax: 16_000_000 };

/** What an aggregator puts into its markers by default. */
export const DEFAULT_BOUNDS: BlockBounds = { rowsMax: 300_000, bytesMax: 16_000_000 };

/** A block must stay one insert block of the store (1,048,449 rows), and a few must fit in memory. */
const ROWS_LIMIT = 1_000_000;
const BYTES_LIMIT = 64_000_000;

const MARKER_HEADER = 'imscope-marker';

/** `rows:bytes`, as in marker headers and in the metadata of offset commits. */
export function formatBounds(bounds: BlockBounds): string {
  return `${bounds.rowsMax}:${bounds.bytesMax}`;
}

/** The bounds in a text; undefined where they are missing or invalid. */
export function parseBounds(text: string): BlockBounds | undefined {
  const match = /^([1-9]\d{0,6}):([1-9]\d{0,7})$/.exec(text);
  if (match === null) return undefined;
  const [rowsMax, bytesMax] = [Number(match[1]), Number(match[2])];
  return rowsMax <= ROWS_LIMIT && bytesMax <= BYTES_LIMIT ? { rowsMax, bytesMax } : undefined;
}

export function writeMarkerHeaders(bounds: BlockBounds): Record<string, string> {
  return { [MARKER_HEADER]: formatBounds(bounds) };
}

/** The bounds a marker carries; undefined where they are missing or invalid, so the bounds before stay in force. */
export function readMarkerBounds(
  headers: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>> | undefined,
): BlockBounds | undefined {
  const header = headers?.[MARKER_HEADER];
  return header === undefined || Array.isArray(header)
    ? undefined
    : parseBounds(typeof header === 'string' ? header : header.toString('latin1'));
}
