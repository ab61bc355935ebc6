/*
 * Keyed ids in SQL. A batch of a request with an `Idempotency-Key` carries an id derived from that key in the place of
 * the incarnation, so it has no sequence and does not tell which incarnation sent it.
 */
import { keyedBoot } from '@imscope/schemas/batch-headers.js';

const EXAMPLE = keyedBoot(Buffer.alloc(20));
const LENGTH = EXAMPLE.length;
const PREFIX = EXAMPLE.charAt(0);

/** `isKeyedBoot` as an SQL expression. @param column a column of ours that holds ids of incarnations */
export function keyedIdSql(column: string): string {
  return `(length(${column}) = ${LENGTH} AND startsWith(${column}, '${PREFIX}'))`;
}
