/** A log format that nginx would refuse, or whose lines nobody could read: the message says what to give instead. */
export class LogFormatError extends Error {}
