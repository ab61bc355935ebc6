/*
 * The named pipe through which the engine writes a result. The kernel buffers 64 kB of it, so the engine waits for a
 * slow reader, and a result of any size is never completely in memory. Closing the reading end stops the engine.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';

export type ResultPipe = {
  /**
   * Ends after `finish()`, once everything written was read. Do not stop reading before the first chunk: an engine
   * that has not opened the pipe yet would wait for a reader forever.
   */
  readonly chunks: AsyncIterable<Buffer>;
  /** Call it when the engine has finished writing. */
  finish(): void;
};

/** Opens the reading end, and a writing end that keeps the pipe from ending before `finish()`. */
export function openResultPipe(path: string): ResultPipe {
  const readingEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writingEnd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd: readingEnd, readable: true, writable: false });
  let finished = false;
  return {
    chunks: socket,
    finish() {
      if (!finished) closeSync(writingEnd);
      finished = true;
    },
  };
}
