/* The root of the repository, and the folder for everything that scripts make: `.imscope`, ignored by git. */
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

export const REPO_ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** @param parts below `.imscope` */
export function inWorkDir(...parts: string[]): string {
  return join(REPO_ROOT, '.imscope', ...parts);
}
