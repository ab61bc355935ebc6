/* Samples the resident memory of a working process from /proc, many times a second. */
import { readFileSync } from 'node:fs';
import { median } from '../statistics.js';

export type MemoryCourse = {
  readonly peakBytes: number;
  /** Medians of the second quarter of the time and of the last: if they are equal, memory does not grow. */
  readonly earlyBytes: number;
  readonly lateBytes: number;
};

const SAMPLE_MS = 50;
/** A day of samples. */
const SAMPLES_MAX = 1_728_000;

/** Watches until the returned function is called. */
export function watchMemory(pid: number): () => MemoryCourse {
  const samples: number[] = [];
  const timer = setInterval(() => {
    if (samples.length < SAMPLES_MAX) samples.push(residentBytes(pid));
  }, SAMPLE_MS);
  return () => {
    clearInterval(timer);
    const quarter = Math.floor(samples.length / 4);
    return {
      peakBytes: samples.reduce((most, one) => Math.max(most, one), 0),
      earlyBytes: median(samples.slice(quarter, 2 * quarter)),
      lateBytes: median(samples.slice(-quarter)),
    };
  };
}

function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  if (kib === undefined) throw new Error(`/proc/${pid}/status tells no VmRSS`);
  return Number(kib) * 1024;
}
