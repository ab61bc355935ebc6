/** What was asked for cannot be done as asked: the message says what to give instead. Ends with exit code 2. */
export class UsageError extends Error {}
