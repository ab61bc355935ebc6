/* Since when no connection is open, of all listeners. */
import type { Socket } from 'node:net';

export class OpenConnections {
  #open = 0;
  #noneSinceMs = Number.NEGATIVE_INFINITY;

  add(socket: Socket): void {
    this.#open += 1;
    socket.once('close', () => {
      this.#open -= 1;
      this.#noneSinceMs = performance.now();
    });
  }

  /** How long none has been open: 0 while one is, infinite where none ever was. */
  quietMs(nowMs: number): number {
    return this.#open > 0 ? 0 : nowMs - this.#noneSinceMs;
  }
}
