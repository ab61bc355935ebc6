/* Sends one insert. Settings make the insert one atomic block; after a lost answer it is repeated with its token. */
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import type { BlockInsert } from '../blocks/block-content.js';
import { INSERT_PARTITIONS_MAX } from '../blocks/classify-records.js';
import { type Stream, insertSql } from '../blocks/streams.js';

/**
 * Every piece becomes an HTTP chunk, which costs both ends some microseconds: with 10 records a message that was a
 * third of what storing them took. Large messages go out as they are, for joining them costs more.
 */
const PIECE_BYTES = 256 << 10;
const LARGE_BYTES = 8 << 10;

/** The same bytes in fewer pieces: what is small is joined. */
export function* inLargePieces(body: readonly Buffer[]): Generator<Buffer, void, undefined> {
  let small: Buffer[] = [];
  let bytes = 0;
  for (const part of body) {
    const large = part.length >= LARGE_BYTES;
    if (bytes > 0 && (large || bytes >= PIECE_BYTES)) {
      yield Buffer.concat(small, bytes);
      small = [];
      bytes = 0;
    }
    if (large) yield part;
    else {
      small.push(part);
      bytes += part.length;
    }
  }
  if (bytes > 0) yield Buffer.concat(small, bytes);
}

export async function insertBlock(
  client: ClickHouseClient,
  stream: Stream,
  insert: BlockInsert,
): Promise<void> {
  const result = await client.exec({
    query: insertSql(stream),
    values: Readable.from(inLargePieces(insert.body), { objectMode: false }),
    ...(stream.blockColumns ? { query_params: { block_id: insert.blockId } } : {}),
    clickhouse_settings: {
      insert_deduplication_token: insert.token,
      async_insert: 0,
      wait_end_of_query: 1,
      max_insert_threads: '1',
      max_partitions_per_insert_block: String(INSERT_PARTITIONS_MAX),
      input_format_avro_allow_missing_fields: 1,
      // The index on request ids is built by the first merge; until then a search for one reads the fresh part.
      materialize_skip_indexes_on_insert: 0,
    },
  });
  // The answer has no content; it is read to its end so that the connection can be used again.
  await finished(result.stream.resume());
}
