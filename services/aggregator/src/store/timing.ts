/* Clock, waiting and chance, as arguments: the simulation runs in a time of its own. */
export type Timing = {
  readonly nowMs: () => number;
  readonly delay: (ms: number) => Promise<void>;
  /** From 0 to below 1. */
  readonly random: () => number;
};
