/* Clock, delay and random numbers, as arguments: the simulation runs in virtual time. */
export type Timing = {
  readonly nowMs: () => number;
  readonly delay: (ms: number) => Promise<void>;
  /** From 0 to below 1. */
  readonly random: () => number;
};
