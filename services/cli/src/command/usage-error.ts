/** Wrong options or settings. The message says what to give instead. Exit code 2. */
export class UsageError extends Error {}
