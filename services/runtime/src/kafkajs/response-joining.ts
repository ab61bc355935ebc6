/*
 * Defect of kafkajs 2.2.4: it joins the rest of the last response with the next one, even where the rest is empty: a
 * copy of every byte. With this patch an empty rest is dropped, so that a complete response is read in its own memory.
 */
import { type LoadModule, type PatchedMethod, patchMethod } from './patch-method.js';

type Connection = { chunks: Buffer[]; bytesBuffered: number };
type ProcessData = (this: Connection, bytes: Buffer) => unknown;

const TARGET: PatchedMethod = {
  module: 'src/network/connection.js',
  on: 'prototype',
  method: 'processData',
  parameters: 1,
  mentions: ['this.chunks', 'this.bytesBuffered'],
};

/** For every client of this process. Throws where kafkajs is not as expected. */
export function avoidResponseCopies(load?: LoadModule): void {
  patchMethod<ProcessData>(
    TARGET,
    (processData) =>
      function (this: Connection, bytes) {
        if (this.bytesBuffered === 0) this.chunks = [];
        return processData.call(this, bytes);
      },
    load,
  );
}
