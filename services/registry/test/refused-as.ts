/* Checks the error of a call, for `assert.rejects`. */
import assert from 'node:assert/strict';
import { AskError } from '@imscope/schemas/query-api/ask.js';

export function refusedAs(code: string, status: number, message?: RegExp) {
  return (error: unknown): true => {
    assert.ok(error instanceof AskError, String(error));
    assert.deepEqual([error.code, error.status], [code, status], error.message);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  };
}
