/* The position of a sink out of its row. */
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { StoredPosition } from '../rows/distribution-rows.js';
import type { SinkPosition } from './entry-sink.js';

const Detail = Type.Object({
  generation: Type.String(),
  forgotten: Type.Integer(),
  end: Type.Integer(),
});

/** Undefined where there is none that can be read: everything is published again. */
export function readSinkPosition(stored: StoredPosition | undefined): SinkPosition | undefined {
  if (stored === undefined || !Value.Check(Detail, stored.detail)) return undefined;
  const { generation, forgotten, end } = stored.detail;
  return { revision: stored.revision, generation, forgotten, end };
}
