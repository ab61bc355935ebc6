/* How many connections are open, of all listeners, and when none is any more. */
import type { Socket } from 'node:net';

export class OpenConnections {
  #open = 0;
  #onNone: (() => void) | undefined;

  add(socket: Socket): void {
    this.#open += 1;
    socket.once('close', () => {
      this.#open -= 1;
      if (this.#open === 0) this.#onNone?.();
    });
  }

  /** Resolves when none is open, or after `timeoutMs`. Asked once. */
  async untilNone(timeoutMs: number): Promise<void> {
    if (this.#open === 0 || timeoutMs === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onNone = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
