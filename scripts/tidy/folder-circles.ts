/*
 * Circles of folders: folders of product code whose files import each other, directly or through others. A folder
 * is a directory that holds files; a folder inside another one counts as a folder of its own.
 */
import { dirname, join } from 'node:path/posix';
import { importsOf, isTypeScript, type RepositoryFile } from './repository.js';

/** An import that leads from one folder into another. */
type Crossing = { readonly from: string; readonly to: string; readonly files: string };

/**
 * @returns every circle, as one text: the imports that make it, one a line. Empty where folders import one way.
 */
export function folderCircles(files: readonly RepositoryFile[]): readonly string[] {
  const crossings = crossingsOf(files);
  const next = new Map<string, Set<string>>();
  for (const { from, to } of crossings) next.set(from, (next.get(from) ?? new Set()).add(to));
  const reached = new Map([...next.keys()].map((folder) => [folder, reachableFrom(folder, next)]));
  const isMutual = (a: string, b: string): boolean =>
    reached.get(a)?.has(b) === true && reached.get(b)?.has(a) === true;
  const circles = new Map<string, Set<string>>();
  for (const { from, to, files: names } of crossings) {
    if (!isMutual(from, to)) continue;
    const members = [...next.keys()].filter((folder) => isMutual(from, folder)).toSorted();
    const key = members.join(' ');
    circles.set(key, (circles.get(key) ?? new Set()).add(`${from} imports ${to}: ${names}`));
  }
  return [...circles].map(([members, imports]) => [members, ...imports].join('\n  '));
}

function crossingsOf(files: readonly RepositoryFile[]): readonly Crossing[] {
  const sources = files.filter((file) => isTypeScript(file) && !/(^|\/)test\/|\.test\.tsx?$/.test(file.path));
  const paths = new Set(sources.map(({ path }) => path));
  return sources.flatMap((file) =>
    importsOf(file).flatMap((specifier) => {
      const target = sourceOf(file, specifier, paths);
      if (target === undefined || dirname(target) === dirname(file.path)) return [];
      return [{ from: dirname(file.path), to: dirname(target), files: `${file.path} → ${target}` }];
    }),
  );
}

/** The source file that an import leads to; undefined for a package that is not ours. */
function sourceOf(
  { path }: RepositoryFile,
  specifier: string,
  paths: ReadonlySet<string>,
): string | undefined {
  const own = /^@imscope\/([^/]+)\/(.+)\.js$/.exec(specifier);
  const [, name = '', rest = ''] = own ?? [];
  const base = specifier.startsWith('.')
    ? join(dirname(path), specifier).replace(/\.jsx?$/, '')
    : own === null
      ? undefined
      : name === 'scripts'
        ? `scripts/${rest}`
        : `${name === 'schemas' ? name : `services/${name}`}/src/${rest}`;
  if (base === undefined) return undefined;
  return [`${base}.ts`, `${base}.tsx`].find((candidate) => paths.has(candidate));
}

function reachableFrom(start: string, next: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [...(next.get(start) ?? [])];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    if (reached.has(folder)) continue;
    reached.add(folder);
    waiting.push(...(next.get(folder) ?? []));
  }
  return reached;
}
