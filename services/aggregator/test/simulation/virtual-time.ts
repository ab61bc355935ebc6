/*
 * Time that passes only from event to event. All that runs between two events has come to rest before the next one
 * fires, so a run depends on nothing but its seed.
 */
type Event = { readonly atMs: number; readonly action: () => void };

export class VirtualTime {
  #nowMs: number;
  /** Latest first, so that the next one is at the end; among equals the first asked comes first. */
  readonly #events: Event[] = [];
  /** Events fired, for a bound on a run. */
  fired = 0;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, action: () => void): void {
    const atMs = this.#nowMs + Math.max(0, Math.round(ms));
    let index = this.#events.length;
    while (index > 0 && (this.#events[index - 1]?.atMs ?? Infinity) <= atMs) index -= 1;
    this.#events.splice(index, 0, { atMs, action });
  }

  async delay(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Fires events until `enough` says so after one of them, or `untilMs` is reached. */
  async run(untilMs: number, enough: () => boolean = () => false): Promise<void> {
    await settled();
    while (!enough()) {
      const next = this.#events.at(-1);
      if (next === undefined || next.atMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs);
        return;
      }
      this.#events.pop();
      this.#nowMs = next.atMs;
      this.fired += 1;
      next.action();
      await settled();
    }
  }
}

/** Resolves once every promise that can go on has gone on. */
async function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
