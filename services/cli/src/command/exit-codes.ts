/* Exit codes of every command. */
export const EXIT = {
  ok: 0,
  /** Something could not be sent, or may not have arrived. */
  failed: 1,
  usage: 2,
  /** Everything was sent, and some of it was refused. */
  rejected: 3,
} as const;
