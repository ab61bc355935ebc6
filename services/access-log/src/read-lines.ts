/*
 * Splits bytes into lines, in bounded memory: a line longer than the bound is returned without its text, so that line
 * numbers stay right.
 */
export const LINE_BYTES_MAX = 64 << 10;

/** A line without its end (`\n` or `\r\n`), counted from 1; `text` is undefined where it is too long. */
export type Line = { readonly number: number; readonly text: string | undefined };

const NEWLINE = 10;

/** Yields blank lines too, and a last line without an end. Invalid UTF-8 becomes U+FFFD. */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  let number = 0;
  let held: Buffer[] = [];
  let heldBytes = 0;
  const hold = (piece: Buffer): void => {
    heldBytes += piece.length;
    if (heldBytes <= LINE_BYTES_MAX + 1) held.push(piece);
    else held = [];
  };
  const finishLine = (): Line => {
    number += 1;
    const text = lineText(held, heldBytes);
    held = [];
    heldBytes = 0;
    return { number, text };
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      hold(chunk.subarray(start, end));
      start = end + 1;
      yield finishLine();
    }
    // Copied, because a slice would keep the complete chunk in memory.
    if (start < chunk.length) hold(Buffer.from(chunk.subarray(start)));
  }
  if (heldBytes > 0) yield finishLine();
}

/** One byte above the bound may be the carriage return of a line's end. */
function lineText(pieces: readonly Buffer[], bytes: number): string | undefined {
  if (bytes > LINE_BYTES_MAX + 1) return undefined;
  const line = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces, bytes);
  const length = line.at(-1) === 13 ? line.length - 1 : line.length;
  return length > LINE_BYTES_MAX ? undefined : line.toString('utf8', 0, length);
}
