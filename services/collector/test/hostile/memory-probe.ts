/*
 * Loaded into a collector's process by tests: tells on asking what its memory holds once everything nobody needs is
 * gone, and what processor time it took so far.
 */
import { setImmediate as turn } from 'node:timers/promises';

export type Usage = {
  /** Heap and buffers after collecting twice. */
  readonly heldBytes: number;
  readonly residentBytes: number;
  readonly cpuMs: number;
};

process.on('message', () => {
  void (async () => {
    for (let round = 0; round < 3; round++) {
      globalThis.gc?.();
      await turn();
    }
    const { heapUsed, external, rss } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const usage: Usage = {
      heldBytes: heapUsed + external,
      residentBytes: rss,
      cpuMs: (user + system) / 1_000,
    };
    process.send?.(usage);
  })();
});
// Asking is no reason to live.
process.channel?.unref();
