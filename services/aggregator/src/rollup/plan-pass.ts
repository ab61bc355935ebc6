/*
 * Decides what a rollup pass does: which hours are built, and which versions of older builds are deleted. Pure.
 */
import { ROLLUP_SLICE_MS } from '@imscope/schemas/hour-rollup.js';
import { HOUR_MS, TERM_HOURS } from '@imscope/schemas/retention.js';
import { type BuildKind } from './build-hour.js';

const MINUTE_MS = 60_000;
/** A window of a minute, its grace, and the time to the store: a slice is built when its metrics are there. */
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

/** A complete build of an hour up to `toMs`. */
export type CompleteBuild = {
  readonly kind: BuildKind;
  readonly hourMs: number;
  readonly toMs: number;
  readonly version: number;
};

/** By the beginning of the slice: when the last block with rows of it was stored, by the store's clock. */
export type LastStored = Readonly<Record<BuildKind, ReadonlyMap<number, number>>>;

/** One kind of rows of one hour, up to its end or to the last slice that has passed. */
export type DueBuild = Omit<CompleteBuild, 'version'>;

const KINDS: readonly BuildKind[] = ['metrics_built', 'logs_counted'];

/**
 * What is to be built, newest hours first.
 * @param nowMs by the store's clock, as the times in `stored` and in versions
 */
export function dueBuilds(builds: readonly CompleteBuild[], stored: LastStored, nowMs: number): DueBuild[] {
  const newest = newestOf(builds);
  return passedHours(nowMs).flatMap(({ hourMs, toMs }) =>
    KINDS.filter((kind) => {
      const build = newest.get(keyOf({ kind, hourMs }));
      return build === undefined || build.toMs < toMs || isStale(build, stored[kind], nowMs);
    }).map((kind) => ({ kind, hourMs, toMs })),
  );
}

/** A version that has rows, complete or not. */
export type StoredVersion = Omit<CompleteBuild, 'toMs'>;

/**
 * Versions that no reader can still use: a newer one of the hour and kind has been complete for a while, or their build was
 * interrupted and nothing has replaced the one before it lately. A row that names a complete build may be gone when a newer one
 * is there, so that a version is not named does not say that it was never complete.
 */
export function outdatedVersions(
  stored: readonly StoredVersion[],
  builds: readonly CompleteBuild[],
  nowMs: number,
): number[] {
  const isOld = ({ version }: StoredVersion): boolean => nowMs - builtAtMs(version) > DELETED_AFTER_MS;
  const newest = newestOf(builds);
  const newestOld = newestOf(builds.filter(isOld));
  return stored
    .filter((one) => {
      const [last, lastOld] = [newest.get(keyOf(one)), newestOld.get(keyOf(one))];
      if (one.version === last?.version || !isOld(one)) return false;
      const isReplaced = lastOld !== undefined && lastOld.version > one.version;
      return isReplaced || last === lastOld;
    })
    .map(({ version }) => version);
}

function newestOf(builds: readonly CompleteBuild[]): Map<string, CompleteBuild> {
  const newest = new Map<string, CompleteBuild>();
  for (const build of builds) {
    const key = keyOf(build);
    if (build.version > (newest.get(key)?.version ?? 0)) newest.set(key, build);
  }
  return newest;
}

function keyOf({ kind, hourMs }: Pick<CompleteBuild, 'kind' | 'hourMs'>): string {
  return `${kind} ${hourMs}`;
}

/** Those whose metrics are kept, newest first; of the hour that runs, the slices that have passed. */
function passedHours(nowMs: number): Pick<CompleteBuild, 'hourMs' | 'toMs'>[] {
  const hours: Pick<CompleteBuild, 'hourMs' | 'toMs'>[] = [];
  const oldestMs = nowMs - TERM_HOURS.interfaceMetric * HOUR_MS + TERM_MARGIN_MS;
  const passedMs = Math.floor((nowMs - BUILT_AFTER_MS) / ROLLUP_SLICE_MS) * ROLLUP_SLICE_MS;
  for (let hourMs = Math.floor(passedMs / HOUR_MS) * HOUR_MS; hourMs >= oldestMs; hourMs -= HOUR_MS) {
    const toMs = Math.min(hourMs + HOUR_MS, passedMs);
    if (toMs > hourMs) hours.push({ hourMs, toMs });
  }
  return hours;
}

/** Whether a block with rows of it was stored since it was built. */
function isStale(
  { hourMs, toMs, version }: CompleteBuild,
  stored: ReadonlyMap<number, number>,
  nowMs: number,
): boolean {
  const builtMs = builtAtMs(version);
  if (nowMs - builtMs < REBUILT_AFTER_MS) return false;
  for (let sliceMs = hourMs; sliceMs < toMs; sliceMs += ROLLUP_SLICE_MS) {
    if ((stored.get(sliceMs) ?? 0) >= builtMs) return true;
  }
  return false;
}
