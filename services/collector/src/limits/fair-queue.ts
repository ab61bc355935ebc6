/*
 * Schedules the parsing of bodies by deficit round robin over senders, in bytes. Parsing blocks the process; with one queue
 * a sender, one that sends much delays its own requests and not those of others. Each iteration of the event loop runs a
 * slice, so that bodies that arrive together are scheduled before the first one runs. The byte budget bounds the queues: it
 * holds every body that waits here.
 */

/** Added to a sender's deficit counter in each round. */
const QUANTUM_BYTES = 64 << 10;
/** Parsed before the event loop continues, about 2 ms; a larger body is parsed alone. */
const SLICE_BYTES = 128 << 10;

type Job = { readonly bytes: number; readonly run: () => void };
type SenderQueue = { readonly jobs: Job[]; deficit: number };

export class FairQueue {
  /** Senders with waiting jobs, in the order of the round. */
  readonly #queues = new Map<string, SenderQueue>();
  #scheduled = false;
  #size = 0;

  /** Bodies that wait. */
  get size(): number {
    return this.#size;
  }

  /** Runs `work` synchronously when the sender is scheduled. Settles with what it returns or throws. */
  run<T>(sender: string, bytes: number, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#add(sender, bytes, () => {
        try {
          resolve(work());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }

  #add(sender: string, bytes: number, run: () => void): void {
    let queue = this.#queues.get(sender);
    if (queue === undefined) this.#queues.set(sender, (queue = { jobs: [], deficit: 0 }));
    queue.jobs.push({ bytes, run });
    this.#size += 1;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#size === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#runSlice();
      this.#schedule();
    });
  }

  #runSlice(): void {
    let bytes = 0;
    while (bytes < SLICE_BYTES) {
      const next = this.#next();
      if (next === undefined) return;
      bytes += next.bytes;
      next.run();
    }
  }

  /** The next job. A sender whose deficit is smaller than its first job gets a quantum and moves to the end. */
  #next(): Job | undefined {
    for (;;) {
      const [first] = this.#queues;
      if (first === undefined) return undefined;
      const [sender, queue] = first;
      const [head] = queue.jobs;
      if (head !== undefined && (head.bytes <= queue.deficit || this.#queues.size === 1)) {
        queue.jobs.shift();
        queue.deficit = Math.max(0, queue.deficit - head.bytes);
        this.#size -= 1;
        // A sender without jobs loses its deficit.
        if (queue.jobs.length === 0) this.#queues.delete(sender);
        return head;
      }
      queue.deficit += QUANTUM_BYTES;
      this.#queues.delete(sender);
      this.#queues.set(sender, queue);
    }
  }
}
