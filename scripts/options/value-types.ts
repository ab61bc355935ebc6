/*
 * Types of option values: each returns a function that turns the text of an option into its value, or throws
 * commander's error with the values allowed. Commander puts the option and the value received before it.
 */
import { InvalidArgumentError } from 'commander';
import { formatDuration, parseDuration } from './duration.js';

export type ValueType<T> = (text: string) => T;

export function wholeNumber(min: number, max: number): ValueType<number> {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,16}$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** Every value of an option that may be given several times, or several values at once. */
export function listOf<T>(type: ValueType<T>): (text: string, before?: readonly T[]) => readonly T[] {
  return (text, before = []) => [...before, type(text)];
}

export const port: ValueType<number> = wholeNumber(1, 65_535);

/** @returns milliseconds */
export function duration(minMs: number, maxMs: number): ValueType<number> {
  return (text) => {
    const value = parseDuration(text);
    if (value === undefined || value < minMs || value > maxMs) {
      throw new InvalidArgumentError(
        `Give a duration from ${formatDuration(minMs)} to ${formatDuration(maxMs)}, such as 500ms, 60s, 5m, 2h or 6d.`,
      );
    }
    return value;
  };
}

/** @returns epoch milliseconds */
export const utcTime: ValueType<number> = (text) => {
  const value = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(value)) throw new InvalidArgumentError('Give a time in UTC such as 2026-05-06T07:08:09Z.');
  return value;
};

export const httpUrl: ValueType<string> = (text) => {
  if (!URL.canParse(text) || !/^https?:/.test(text))
    throw new InvalidArgumentError('Give an http or https URL.');
  return text;
};
