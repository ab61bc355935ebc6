/*
 * How many streams may be open at once, of all callers and of one: a stream holds what it takes until it ends.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';

export type CallerSlots = {
  /** Takes a slot; the result gives it back, once. Throws `HttpError` too_many_requests. */
  take(caller: string): () => void;
  open(): number;
};

/** @param what is open, in the plural, for the refusal @param refused called at each */
export function createCallerSlots(max: number, what: string, refused: () => void): CallerSlots {
  /** Half, so that one caller cannot keep out all others. */
  const callerMax = Math.ceil(max / 2);
  const openOf = new Map<string, number>();
  let open = 0;
  const refuse = (which: string, bound: number): HttpError => {
    refused();
    return new HttpError(
      'too_many_requests',
      `${bound} ${what} ${which} are open, and no more may: end one`,
      {
        retryAfterS: 10,
      },
    );
  };
  return {
    take(caller) {
      const own = openOf.get(caller) ?? 0;
      if (own >= callerMax) throw refuse('of this caller', callerMax);
      if (open >= max) throw refuse('of all callers', max);
      openOf.set(caller, own + 1);
      open += 1;
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        open -= 1;
        const left = (openOf.get(caller) ?? 1) - 1;
        if (left === 0) openOf.delete(caller);
        else openOf.set(caller, left);
      };
    },
    open: () => open,
  };
}
