/*
 * A hole in kafkajs 2.2: it gathers the headers of a record by copying all earlier ones for each next one. A message
 * of 5,000 headers, 50 kB, holds the process for twelve seconds, longer than its group's session; one of 1 MiB for
 * hours. Here they are gathered in one pass, by the one method of its decoder that reads them.
 */
import { createRequire } from 'node:module';

type Header = { readonly key: string; readonly value: Buffer | null };
type HeaderValue = Buffer | null | (Buffer | null)[];
type Decoder = { readVarIntArray(reader: (decoder: Decoder) => Header): Header[] };

const decoder = createRequire(import.meta.url)('kafkajs/src/protocol/decoder') as {
  readonly prototype: Decoder;
};
let closed = false;

/** Closes the hole for every client of this process. */
export function gatherHeadersInOnePass(): void {
  if (closed) return;
  closed = true;
  const read = decoder.prototype.readVarIntArray;
  decoder.prototype.readVarIntArray = function (this: Decoder, reader): Header[] {
    const headers = read.call(this, reader);
    // What is read is reduced to an object at once, and used for nothing else.
    return Object.assign(headers, { reduce: () => gather(headers) });
  };
}

/** A name that comes more than once has an array of values, as in kafkajs. */
function gather(headers: readonly Header[]): Record<string, HeaderValue> {
  const values = new Map<string, HeaderValue>();
  for (const { key, value } of headers) {
    const known = values.get(key);
    if (known === undefined) values.set(key, value);
    else if (Array.isArray(known)) known.push(value);
    else values.set(key, [known, value]);
  }
  return Object.fromEntries(values);
}
