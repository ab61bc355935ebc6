/* The lines of a body, as they arrive. */

export type TextLine =
  | { readonly line: number; readonly bytes: Uint8Array }
  /** Longer than `LINE_BYTES_MAX`: what follows is not read. */
  | { readonly line: number; readonly isTooLong: true };

/** A complete state has less. */
export const LINE_BYTES_MAX = 262_144;

const NEW_LINE = 0x0a;

/** Without their ends. Lines are numbered from 1; a last one without bytes is none. */
export async function* textLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TextLine> {
  let rest = Buffer.alloc(0);
  let line = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = bytes.indexOf(NEW_LINE); end !== -1; end = bytes.indexOf(NEW_LINE, from)) {
      line++;
      yield { line, bytes: bytes.subarray(from, end) };
      from = end + 1;
    }
    rest = bytes.subarray(from);
    if (rest.length > LINE_BYTES_MAX) {
      yield { line: line + 1, isTooLong: true };
      return;
    }
  }
  if (rest.length > 0) yield { line: line + 1, bytes: rest };
}

/** Undefined where the bytes are not UTF-8. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return DECODER.decode(bytes);
  } catch {
    return undefined;
  }
}

const DECODER = new TextDecoder('utf-8', { fatal: true });
