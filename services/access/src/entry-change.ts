/* Reads a distributed entry out of its text. Whatever is not one is refused, so that it cannot get into the copy. */
import { EntryChange, entryKey } from '@imscope/schemas/registry-entry.js';
import { Compile } from 'typebox/compile';

const CHANGE = Compile(EntryChange);

/** @returns undefined where the text is not a change, or belongs under another key */
export function parseEntryChange(text: string, key: string): EntryChange | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isEntryChange(parsed) && parsed.key === key ? parsed : undefined;
}

/** True for a change whose entry belongs under its key. */
export function isEntryChange(value: unknown): value is EntryChange {
  if (!CHANGE.Check(value)) return false;
  const change: EntryChange = value;
  return change.entry === null || entryKey(change.entry) === change.key;
}
