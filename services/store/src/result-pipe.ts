/*
 * A named pipe from the engine to us: rows come as the engine formats them, the kernel's 64 kB between us make the
 * engine wait for a slow reader, and closing our end stops it. So a result of any size is never in memory whole.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';

export type ResultPipe = {
  /**
   * Ends after `finish()`, once all that was written is read. Leave it only after a first chunk: an engine that has
   * yet to open the pipe would wait for a reader for ever.
   */
  readonly chunks: AsyncIterable<Buffer>;
  /** The engine will write no more. */
  finish(): void;
};

/** Opens both ends, ours and one that keeps the pipe from ending before `finish()`. */
export function openResultPipe(path: string): ResultPipe {
  const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const keeping = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd: reading, readable: true, writable: false });
  let finished = false;
  return {
    chunks: socket,
    finish() {
      if (!finished) closeSync(keeping);
      finished = true;
    },
  };
}
