/*
 * Whose body is parsed next. Parsing blocks the process, so senders take turns by bytes (deficit round robin):
 * one that sends much waits behind its own requests, not in front of others'. Each turn of the event loop works
 * off a slice, so that bodies which arrive together are put in order first. Bounded by the byte budget, which
 * holds every body that waits here.
 */

/** What a sender may have parsed before it is the next one's turn. */
const QUANTUM_BYTES = 64 << 10;
/** What is parsed before sockets are looked at again, about 2 ms; a larger body goes alone. */
const SLICE_BYTES = 128 << 10;

type Waiting = { readonly bytes: number; readonly run: () => void };
type Sender = { readonly waiting: Waiting[]; deficit: number };

export class FairQueue {
  /** Senders with something waiting, in the order of their turns. */
  readonly #senders = new Map<string, Sender>();
  #scheduled = false;
  #size = 0;

  /** Bodies that wait. */
  get size(): number {
    return this.#size;
  }

  /** Runs `work` in one go when it is the sender's turn; what it returns or throws is the result. */
  turn<T>(sender: string, bytes: number, work: () => T): Promise<T> {
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
    let state = this.#senders.get(sender);
    if (state === undefined) this.#senders.set(sender, (state = { waiting: [], deficit: 0 }));
    state.waiting.push({ bytes, run });
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

  /** The next body in turn. A sender whose quantum does not reach saves it up while others have theirs. */
  #next(): Waiting | undefined {
    for (;;) {
      const [first] = this.#senders;
      if (first === undefined) return undefined;
      const [name, sender] = first;
      const [head] = sender.waiting;
      if (head !== undefined && (head.bytes <= sender.deficit || this.#senders.size === 1)) {
        sender.waiting.shift();
        sender.deficit = Math.max(0, sender.deficit - head.bytes);
        this.#size -= 1;
        // Who has nothing waiting saves nothing up.
        if (sender.waiting.length === 0) this.#senders.delete(name);
        return head;
      }
      sender.deficit += QUANTUM_BYTES;
      this.#senders.delete(name);
      this.#senders.set(name, sender);
    }
  }
}
