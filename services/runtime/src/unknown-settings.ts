/* Finds misspelt names of settings in an environment. Otherwise a default would stay in force without a message. */
import { environmentName, type Environment, type Settings } from './config.js';

/** Most changed letters of a name that counts as misspelt. */
const CHANGES_MAX = 2;
/** Shorter names are similar to too many others. */
const NAME_LENGTH_MIN = 6;

/** The known name that is most similar to a variable; undefined where the variable is known, or similar to none. */
export function nearestSetting(variable: string, known: ReadonlySet<string>): string | undefined {
  if (known.has(variable) || variable.length < NAME_LENGTH_MIN) return undefined;
  let nearest: string | undefined;
  let fewest = CHANGES_MAX + 1;
  for (const name of known) {
    const changes = distance(variable.toUpperCase().replaceAll('-', '_'), name, fewest);
    if (changes < fewest) [nearest, fewest] = [name, changes];
  }
  return nearest;
}

/** The names of all settings in the tables. */
export function knownNames(...tables: readonly Settings[]): Set<string> {
  return new Set(tables.flatMap((table) => Object.keys(table).map(environmentName)));
}

/** Variables of an environment that are in no table. */
export function unknownVariables(environment: Environment, known: ReadonlySet<string>): string[] {
  return Object.keys(environment).filter((variable) => !known.has(variable));
}

/** The Levenshtein distance, but at most `most`. */
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
