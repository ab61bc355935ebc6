/*
 * Defect of kafkajs 2.2.4: it gathers the headers of a record by copying all earlier ones for each next one. A message
 * of 5,000 headers, 50 kB, blocks the process for twelve seconds, longer than its group's session; one of 1 MiB for
 * hours. With this patch they are gathered in one pass, by the one method of its decoder that reads them.
 */
import { type LoadModule, type PatchedMethod, patchMethod } from './patch-method.js';

type Header = { readonly key: string; readonly value: Buffer | null };
type HeaderValue = Buffer | null | (Buffer | null)[];
type ReadArray = (this: object, reader: (decoder: object) => Header) => Header[];

const TARGET: PatchedMethod = {
  module: 'src/protocol/decoder.js',
  on: 'prototype',
  method: 'readVarIntArray',
  parameters: 1,
  mentions: ['reader(this)'],
};

/** For every client of this process. Throws where kafkajs is not as expected. */
export function gatherHeadersInOnePass(load?: LoadModule): void {
  patchMethod<ReadArray>(
    TARGET,
    (read) =>
      function (this: object, reader): Header[] {
        const headers = read.call(this, reader);
        // kafkajs reduces the array to an object at once, and uses it for nothing else.
        return Object.assign(headers, { reduce: () => gather(headers) });
      },
    load,
  );
}

/** A name that appears more than once has an array of values, as in kafkajs. */
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
