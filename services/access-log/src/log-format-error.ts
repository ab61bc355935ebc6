/** A log format that nginx would refuse, or whose lines cannot be read. The message says what to give instead. */
export class LogFormatError extends Error {}
