/*
 * Exit code 0 where node_modules holds what package-lock.json asks for, else 1. Plain JavaScript: it runs before
 * anything is installed. npm writes what it has installed to node_modules/.package-lock.json; packages for other
 * platforms stand only in the former.
 */
import { readFileSync } from 'node:fs';

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return {};
  }
}

const wanted = Object.entries(packagesOf('package-lock.json')).filter(
  ([path, { optional }]) => path.startsWith('node_modules/') && optional !== true,
);
const installed = packagesOf('node_modules/.package-lock.json');
const same = ([path, { version, integrity }]) =>
  path in installed && installed[path].version === version && installed[path].integrity === integrity;
process.exitCode = wanted.length > 0 && wanted.every(same) ? 0 : 1;
