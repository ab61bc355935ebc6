/*
 * The error answer where a database or another system the registry needs does not answer: 503 instead of 500. What a
 * change without an answer did is unknown; the answer says so.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { CommitOutcomeUnknown, isConflict, isConnectionLost } from '@imscope/state/database-error.js';
import { MongoBulkWriteError, MongoError } from 'mongodb';

const NOTHING_DONE = 'nothing was changed: try again';

/**
 * @param done what a request has done that was not answered, and what to do
 * @returns the error itself where it is no failure of another system
 */
export function answerOfDependency(error: unknown, done = NOTHING_DONE): unknown {
  if (error instanceof HttpError) return error;
  if (error instanceof CommitOutcomeUnknown) {
    return new HttpError(
      'unavailable',
      'the database broke off while the change was committed, it may have been made: read it again before you repeat it',
      { cause: error },
    );
  }
  const why = failureOf(error);
  return why === undefined ? error : new HttpError('unavailable', `${why}, ${done}`, { cause: error });
}

function failureOf(error: unknown): string | undefined {
  if (isConflict(error)) return 'other changes kept the database busy';
  // Before the database: the same network errors come from all of them.
  if (isOfObjects(error)) return 'the place of objects does not answer';
  if (isOfMongo(error)) return 'the database of documents does not answer';
  return isConnectionLost(error) ? 'the database does not answer' : undefined;
}

/** The client of the bucket marks every error of a request that it has tried. */
function isOfObjects(error: unknown): boolean {
  return error instanceof Error && '$metadata' in error;
}

/** Servers that are away, closed, silent or no longer the first of their set. */
function isOfMongo(error: unknown): boolean {
  if (!(error instanceof MongoError)) return false;
  if (error instanceof MongoBulkWriteError && isOfMongo(error.errorResponse)) return true;
  return (
    error.hasErrorLabel('RetryableWriteError') ||
    /^Mongo(Network|ServerSelection|Pool|TopologyClosed|WaitQueueTimeout|OperationTimeout|WriteConcern)/.test(
      error.name,
    )
  );
}
