/*
 * Which batches of keyed requests were seen in one partition lately: there may be one for every request, so their ids
 * are kept as 128 bits of a hash in tables of ten minutes of the log, 16 bytes and a table's free space each. 207 million
 * a day are 8.6 million an hour: 350 MB at most, over all partitions. What is forgotten depends on the log alone.
 */
import { createHash } from 'node:crypto';

const SLOT_MS = 600_000;
/** Tables before the present one that still count: an id is known for an hour at least, 70 minutes at most. */
const SLOTS_KNOWN = 6;
/** Nothing that was appended longer before the present counts. */
export const KEYED_KNOWN_MS = (SLOTS_KNOWN + 1) * SLOT_MS;

export class KeyedBatches {
  /** By ten minutes of the broker's time. */
  readonly #slots = new Map<number, IdTable>();

  /** Ids known; one that was added in two slots counts twice. */
  get size(): number {
    let size = 0;
    for (const { size: ofSlot } of this.#slots.values()) size += ofSlot;
    return size;
  }

  /** @param appendedMs the broker's time of the batch in question */
  has(boot: string, sequence: number, appendedMs: number): boolean {
    const id = idOf(boot, sequence);
    const now = slotOf(appendedMs);
    for (const [slot, table] of this.#slots) if (slot >= now - SLOTS_KNOWN && table.has(id)) return true;
    return false;
  }

  add(boot: string, sequence: number, appendedMs: number): void {
    const slot = slotOf(appendedMs);
    let table = this.#slots.get(slot);
    if (table === undefined) this.#slots.set(slot, (table = new IdTable()));
    table.add(idOf(boot, sequence));
  }

  forgetBefore(appendedMs: number): void {
    const now = slotOf(appendedMs);
    for (const slot of this.#slots.keys()) if (slot < now - SLOTS_KNOWN) this.#slots.delete(slot);
  }
}

function slotOf(appendedMs: number): number {
  return Math.floor(appendedMs / SLOT_MS);
}

/** Four words, the first of which is never 0: that marks a free place. */
function idOf(boot: string, sequence: number): Uint32Array {
  const digest = createHash('md5').update(`${boot}:${sequence}`).digest();
  const words = Uint32Array.from({ length: WORDS }, (_, word) => digest.readUInt32LE(word * 4));
  words[0] = (words[0] ?? 0) || 1;
  return words;
}

const WORDS = 4;
const PLACES_AT_FIRST = 64;
/** A table grows by doubling when it is three quarters full. */
const FULL = 0.75;

/** A set of ids by open addressing; nothing is removed. */
class IdTable {
  #words = new Uint32Array(PLACES_AT_FIRST * WORDS);
  size = 0;

  has(id: Uint32Array): boolean {
    return this.#words[this.#find(id)] !== 0;
  }

  add(id: Uint32Array): void {
    const at = this.#find(id);
    if (this.#words[at] !== 0) return;
    this.#words.set(id, at);
    this.size += 1;
    if (this.size * WORDS > this.#words.length * FULL) this.#grow();
  }

  /** The place of the id, or the free place for it. */
  #find(id: Uint32Array): number {
    const words = this.#words;
    const [first = 0, second = 0, third = 0, fourth = 0] = id;
    // The length is a power of two. The second word chooses the place: the first is never 0.
    for (let at = (second * WORDS) & (words.length - 1); ; at = (at + WORDS) & (words.length - 1)) {
      if (words[at] === 0) return at;
      const same = words[at] === first && words[at + 1] === second;
      if (same && words[at + 2] === third && words[at + 3] === fourth) return at;
    }
  }

  #grow(): void {
    const before = this.#words;
    this.#words = new Uint32Array(before.length * 2);
    for (let at = 0; at < before.length; at += WORDS) {
      const id = before.subarray(at, at + WORDS);
      if (id[0] !== 0) this.#words.set(id, this.#find(id));
    }
  }
}
