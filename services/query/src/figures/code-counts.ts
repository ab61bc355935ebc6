/*
 * Codes as answers show them: count, share, and the catalogue's name, meaning and advice.
 */
import { describeCode } from '@imscope/schemas/codes/catalogue.js';
import { OUTCOMES } from '@imscope/schemas/outcome.js';
import type { CodeCount } from '@imscope/schemas/query-api/values.js';
import { type Static, Type } from 'typebox';

export const OUTCOME = Type.Enum(OUTCOMES);
export const CODE = Type.Union([Type.Number(), Type.Null()]);
const CodeRow = Type.Object({ code: CODE, outcome: OUTCOME, requests: Type.Number() });

/** @param total requests the share is of */
export function codeCountOf(row: Static<typeof CodeRow>, total: number): CodeCount {
  const { code, outcome, requests } = row;
  const { name, meaning, advice } = describeCode(code);
  return { code, outcome, count: requests, share: total === 0 ? 0 : requests / total, name, meaning, advice };
}
