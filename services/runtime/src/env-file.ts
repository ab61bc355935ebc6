/*
 * A file of `NAME=value` lines, as systemd's EnvironmentFile and dotenv have it: comments, quotes, `export`. Lines that
 * are none of it are named instead of passed over.
 */
import { parseEnv } from 'node:util';
import type { Environment } from './config.js';

const BLANK = /^\s*(?:$|[#;])/;
const ASSIGNMENT = /^\s*(?:export\s+)?[A-Za-z_]\w*\s*=\s*(.*)$/;

/** @returns the variables, and what is wrong with lines that are not taken */
export function parseEnvFile(text: string): { environment: Environment; faults: string[] } {
  const faults: string[] = [];
  const kept: string[] = [];
  let quote = '';
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (quote !== '') {
      // Within a value of several lines.
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
