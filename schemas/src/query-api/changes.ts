/*
 * The figures of a set of requests against those of the same set before. `../change.ts` says what is beyond chance.
 */
import { type Static, Type } from 'typebox';
import { NullableNumber } from './values.js';

const CHANGE = { is_beyond_chance: Type.Boolean() };

/** Against a set before. Null where one of both has no such figure. */
export const Changes = Type.Object({
  requests_per_s: Type.Object({ before: Type.Number(), difference: Type.Number(), ...CHANGE }),
  success_rate: Type.Object({ before: NullableNumber, difference: NullableNumber, ...CHANGE }),
  latency_avg_ms: Type.Union([
    Type.Object({ before: NullableNumber, difference: NullableNumber, ...CHANGE }),
    Type.Null({ description: 'not compared: these requests wait on purpose' }),
  ]),
});
export type Changes = Static<typeof Changes>;
