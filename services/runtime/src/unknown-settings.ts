/*
 * Variables that look like a setting and are none: misspelt names, which would leave a default in force without a word.
 */
import { environmentName, type Environment, type Settings } from './config.js';

/** Changes of one letter that still count as a slip. */
const SLIPS_MAX = 2;
/** Shorter names are near to too many others. */
const NAME_LENGTH_MIN = 6;

/** The known name a variable is most likely meant to be; undefined where it is known, or near to none. */
export function nearestSetting(variable: string, known: ReadonlySet<string>): string | undefined {
  if (known.has(variable) || variable.length < NAME_LENGTH_MIN) return undefined;
  let nearest: string | undefined;
  let fewest = SLIPS_MAX + 1;
  for (const name of known) {
    const slips = distance(variable.toUpperCase().replaceAll('-', '_'), name, fewest);
    if (slips < fewest) [nearest, fewest] = [name, slips];
  }
  return nearest;
}

/** Every name that settings tables give. */
export function knownNames(...tables: readonly Settings[]): Set<string> {
  return new Set(tables.flatMap((table) => Object.keys(table).map(environmentName)));
}

/** Those of an environment that no table knows. */
export function unknownVariables(environment: Environment, known: ReadonlySet<string>): string[] {
  return Object.keys(environment).filter((variable) => !known.has(variable));
}

/** Levenshtein's: letters put in, left out or changed; `most` where it is no less. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) >= most) return most;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return Math.min(most, row[b.length] ?? most);
}
