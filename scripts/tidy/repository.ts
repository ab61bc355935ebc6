/* The files of this repository as tests of style see them: our own text, nothing installed or built. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { REPO_ROOT } from '../stack/repo-root.js';

export type RepositoryFile = {
  /** From the repository's root, with `/`. */
  readonly path: string;
  readonly text: string;
};

const NOT_OURS = new Set(['node_modules', 'dist', '.git', '.turbo', '.imscope', 'coverage', 'target']);
const BINARY = /\.(png|jpg|gif|ico|woff2?|gz|avro)$/;

/** Every text file, by path. */
export function repositoryFiles(): readonly RepositoryFile[] {
  return walk(REPO_ROOT)
    .map((file) => relative(REPO_ROOT, file))
    .filter((path) => !BINARY.test(path) && !path.endsWith('.log'))
    .map((path) => ({ path, text: readFileSync(join(REPO_ROOT, path), 'utf8') }));
}

/** TypeScript of ours. */
export function isTypeScript({ path }: RepositoryFile): boolean {
  return /\.tsx?$/.test(path);
}

/** What a module imports, exports from, or imports later. */
export function importsOf({ text }: RepositoryFile): readonly string[] {
  return Array.from(
    text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^'\n]+)'/g),
    ([, specifier = '']) => specifier,
  );
}

function walk(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    const path = join(directory, entry.name);
    return entry.isDirectory() ? walk(path) : entry.isFile() ? [path] : [];
  });
}
