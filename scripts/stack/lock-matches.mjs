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

/** Optional packages are those for one kind of machine; those of a C library are left to npm. */
function isForThisMachine({ optional, os, cpu, libc }) {
  if (optional !== true) return true;
  return libc === undefined && [os].flat().includes(process.platform) && [cpu].flat().includes(process.arch);
}

const wanted = Object.entries(packagesOf('package-lock.json')).filter(
  ([path, entry]) => path.startsWith('node_modules/') && isForThisMachine(entry),
);
const installed = packagesOf('node_modules/.package-lock.json');
const same = ([path, { version, integrity }]) =>
  path in installed && installed[path].version === version && installed[path].integrity === integrity;
process.exitCode = wanted.length > 0 && wanted.every(same) ? 0 : 1;
