/*
 * The error answer where a database or another system the registry needs does not answer: 503 instead of 500. What a
 * change without an answer did is unknown; the answer says so.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { CommitOutcomeUnknown, isConflict, isConnectionLost } from '@imscope/state/database-error.js';

/** @returns the error itself where it is no failure of another system */
export function answerOfDependency(error: unknown): unknown {
  if (error instanceof HttpError) return error;
  if (error instanceof CommitOutcomeUnknown) {
    return new HttpError(
      'unavailable',
      'the database broke off while the change was committed, it may have been made: read it again before you repeat it',
      { cause: error },
    );
  }
  if (isConflict(error)) {
    return new HttpError(
      'unavailable',
      'other changes kept the database busy, nothing was changed: try again',
      { cause: error },
    );
  }
  if (isConnectionLost(error) || isOfMongo(error)) {
    return new HttpError('unavailable', 'the database does not answer, nothing was changed: try again', {
      cause: error,
    });
  }
  return error;
}

/** Of the driver's network: servers that are away, closed or silent. */
function isOfMongo(error: unknown): boolean {
  return (
    error instanceof Error && /^Mongo(Network|ServerSelection|PoolCleared|TopologyClosed)/.test(error.name)
  );
}
