/*
 * Which installed packages a set of our own needs at run time: by the lock file, from each package's `dependencies`,
 * found as node finds them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { REPO_ROOT } from '../stack/repo-root.js';

type Locked = {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly link?: true;
};

/** @param own folders of our own packages. @returns folders below `node_modules`, sorted */
export function productionPackages(own: readonly string[]): string[] {
  const lock = JSON.parse(readFileSync(join(REPO_ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  const found = new Set<string>();
  const waiting = [...own];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const { dependencies = {}, optionalDependencies = {} } = lock.packages[place] ?? {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (name.startsWith('@imscope/')) continue;
      const at = locate(name, place, lock.packages);
      if (at === undefined) {
        if (name in optionalDependencies) continue;
        throw new Error(`${name}, which ${place} needs, is not in the lock file`);
      }
      // Packages for another platform are locked and not installed.
      if (found.has(at) || !existsSync(join(REPO_ROOT, at))) continue;
      found.add(at);
      waiting.push(at);
    }
  }
  // A package within another's folder comes with it.
  return [...found].filter((at) => ![...found].some((other) => at.startsWith(`${other}/`))).toSorted();
}

/** In the nearest `node_modules` on the way up. */
function locate(name: string, from: string, packages: Readonly<Record<string, Locked>>): string | undefined {
  for (let place = from; ; place = dirname(place)) {
    const at = place === '.' ? `node_modules/${name}` : `${place}/node_modules/${name}`;
    if (at in packages) return at;
    if (place === '.') return undefined;
  }
}
