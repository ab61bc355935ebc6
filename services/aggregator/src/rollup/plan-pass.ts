/*
 * Decides what a rollup pass does: which hours are built, and which versions of older builds are deleted. Pure.
 */
import { HOUR_MS, TERM_HOURS } from '@imscope/schemas/retention.js';
import { type BuildKind } from './build-hour.js';

const MINUTE_MS = 60_000;
/** A window of a minute, its grace, and the time to the store: an hour is built when its metrics are there. */
const BUILT_AFTER_MS = 4 * MINUTE_MS;
/** An hour that is about to expire is not built. */
const TERM_MARGIN_MS = HOUR_MS;
/** Late rows come in many blocks: an hour is built again this long after its last build at the earliest. */
const REBUILT_AFTER_MS = 2 * MINUTE_MS;
/** Longer than a question may hold on to a version: 5 s of memory, 60 s of waiting, 120 s of a question. */
const DELETED_AFTER_MS = 10 * MINUTE_MS;

/** A version is a time in milliseconds and a number that distinguishes builders; it stays below 2^53. */
const VERSION_UNIT = 1_024;

export function versionAt(nowMs: number, builder: number): number {
  return nowMs * VERSION_UNIT + (builder % VERSION_UNIT);
}

export function builtAtMs(version: number): number {
  return Math.floor(version / VERSION_UNIT);
}

/** A complete build. */
export type CompleteBuild = { readonly kind: BuildKind; readonly hourMs: number; readonly version: number };

/** By the beginning of the hour: when the last block with rows of it was stored, by the store's clock. */
export type LastStored = Readonly<Record<BuildKind, ReadonlyMap<number, number>>>;

/** One kind of rows of one hour. */
export type DueBuild = Pick<CompleteBuild, 'kind' | 'hourMs'>;

const KINDS: readonly BuildKind[] = ['metrics_built', 'logs_counted'];

/**
 * What is to be built, newest hours first.
 * @param nowMs by the store's clock, as the times in `stored` and in versions
 */
export function dueBuilds(builds: readonly CompleteBuild[], stored: LastStored, nowMs: number): DueBuild[] {
  const newest = newestBuilds(builds);
  return endedHours(nowMs).flatMap((hourMs) =>
    KINDS.filter((kind) => isDue(newest.get(keyOf(kind, hourMs)), stored[kind].get(hourMs), nowMs)).map(
      (kind) => ({ kind, hourMs }),
    ),
  );
}

/** A version that has rows, complete or not. */
export type StoredVersion = Pick<CompleteBuild, 'hourMs' | 'version'>;

/**
 * Versions that no reader can still use: a newer one of the hour has been complete for a while, or their build was
 * interrupted.
 */
export function outdatedVersions(
  stored: readonly StoredVersion[],
  builds: readonly CompleteBuild[],
  nowMs: number,
): number[] {
  const used = new Set(newestBuilds(builds).values());
  const isOld = (version: number): boolean => nowMs - builtAtMs(version) > DELETED_AFTER_MS;
  const changedHours = new Set(builds.filter(({ version }) => !isOld(version)).map(({ hourMs }) => hourMs));
  return stored
    .filter(({ hourMs, version }) => !used.has(version) && isOld(version) && !changedHours.has(hourMs))
    .map(({ version }) => version);
}

function newestBuilds(builds: readonly CompleteBuild[]): Map<string, number> {
  const newest = new Map<string, number>();
  for (const { kind, hourMs, version } of builds) {
    const key = keyOf(kind, hourMs);
    newest.set(key, Math.max(newest.get(key) ?? 0, version));
  }
  return newest;
}

function keyOf(kind: BuildKind, hourMs: number): string {
  return `${kind} ${hourMs}`;
}

/** Those whose metrics are kept, newest first. */
function endedHours(nowMs: number): number[] {
  const hours: number[] = [];
  const oldestMs = nowMs - TERM_HOURS.interfaceMetric * HOUR_MS + TERM_MARGIN_MS;
  let startMs = Math.floor((nowMs - BUILT_AFTER_MS) / HOUR_MS) * HOUR_MS - HOUR_MS;
  for (; startMs >= oldestMs; startMs -= HOUR_MS) hours.push(startMs);
  return hours;
}

function isDue(version: number | undefined, storedMs: number | undefined, nowMs: number): boolean {
  if (version === undefined) return true;
  const builtMs = builtAtMs(version);
  return storedMs !== undefined && storedMs >= builtMs && nowMs - builtMs >= REBUILT_AFTER_MS;
}
