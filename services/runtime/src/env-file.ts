/*
 * Parses a file of `NAME=value` lines in the format of systemd's EnvironmentFile and dotenv: comments, quotes,
 * `export`. Other lines are reported instead of skipped.
 */
import { parseEnv } from 'node:util';
import type { Environment } from './config.js';

const BLANK = /^\s*(?:$|[#;])/;
const ASSIGNMENT = /^\s*(?:export\s+)?[A-Za-z_]\w*\s*=\s*(.*)$/;

/** @returns the variables, and a fault for each line that cannot be read */
export function parseEnvFile(text: string): { environment: Environment; faults: string[] } {
  const faults: string[] = [];
  const kept: string[] = [];
  let quote = '';
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (quote !== '') {
      // Inside a value of several lines.
      if (line.includes(quote)) quote = '';
    } else if (BLANK.test(line)) continue;
    else {
      const value = ASSIGNMENT.exec(line)?.[1];
      if (value === undefined) {
        faults.push(`line ${index + 1} is no NAME=value: mend it, or begin it with #`);
        continue;
      }
      const [first = ''] = value;
      if (`"'`.includes(first) && !value.slice(1).includes(first)) quote = first;
    }
    kept.push(line);
  }
  if (quote !== '') faults.push(`a value begins with ${quote} and never ends: close it`);
  return { environment: parseEnv(kept.join('\n')), faults };
}
