/*
 * Limit of kafkajs 2.2.4: nothing tells when the memory of a fetch response can be used again, because the messages in
 * it point into that memory. With this patch the number of batches that point into each response is counted when it is
 * decoded; without it no response buffer is reused.
 */
import { type LoadModule, type PatchedMethod, patchMethod } from './patch-method.js';
import { type MessageBytes, memoryOf, type ResponseBuffers } from './response-buffers.js';

type FetchResponse = {
  readonly responses: readonly {
    readonly partitions: readonly { readonly messages: readonly MessageBytes[] }[];
  }[];
};
type Decode = (this: unknown, bytes: Buffer) => Promise<FetchResponse>;

/** Versions of the fetch request in which messages have today's form; brokers have supported them since 0.11. */
const FETCH_VERSIONS = [4, 5, 6, 7, 8, 9, 10, 11];

const targetOf = (version: number): PatchedMethod => ({
  module: `src/protocol/requests/fetch/v${version}/response.js`,
  on: 'exports',
  method: 'decode',
  parameters: 1,
  mentions: ['responses'],
});

const counted = new Set<ResponseBuffers>();

/**
 * For every client of this process. Throws where kafkajs is not as expected.
 * @returns ends the counting for these buffers
 */
export function countResponseBatches(buffers: ResponseBuffers, load?: LoadModule): () => void {
  for (const version of FETCH_VERSIONS) {
    patchMethod<Decode>(
      targetOf(version),
      (decode) =>
        async function (this: unknown, bytes) {
          const decoded = await decode.call(this, bytes);
          const batches = decoded.responses.flatMap(({ partitions }) => partitions);
          const within = batches.filter(({ messages }) => memoryOf(messages) === bytes.buffer);
          for (const each of counted) each.divide(bytes.buffer, within.length);
          return decoded;
        },
      load,
    );
  }
  counted.add(buffers);
  return () => void counted.delete(buffers);
}
