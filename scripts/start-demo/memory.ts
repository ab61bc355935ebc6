/* Resident memory of a set of processes, as the system counts it: pages two of them share count twice. */
import { spawnSync } from 'node:child_process';

/** @returns bytes by process id; processes that have ended are left out */
export function residentBytes(pids: readonly number[]): ReadonlyMap<number, number> {
  const { stdout } = spawnSync('ps', ['-o', 'pid=,rss=', '-p', pids.join(',')], { encoding: 'utf8' });
  const lines = (stdout ?? '').split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  return new Map(
    lines.flatMap(([pid, kib]) => (pid === undefined || kib === undefined ? [] : [[pid, kib * 1024]])),
  );
}
