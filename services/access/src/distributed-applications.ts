/*
 * Applications out of a source of distributed entries: the source's changes go into the local copy, and from there into
 * the cache file. While the source is away, what is known stays in force.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorMessage } from '@imscope/runtime/error-message.js';
import type { Logger } from '@imscope/runtime/logger.js';
import { type Applications, nothingKnown } from './applications.js';
import type { EntryReceiver, EntrySource } from './entry-source.js';
import { RegistryCache, readRegistryCache } from './registry-cache.js';
import { RegistryCopy } from './registry-copy.js';
import { createTokens } from './tokens.js';

export type DistributedOptions = {
  readonly source: EntrySource;
  /** Empty: none. */
  readonly cacheFile: string;
  readonly logger: Logger;
  /** Called with the reason while nothing is known, and without one when it is. */
  readonly report: (failure?: string) => void;
  /** The wall clock. */
  readonly now?: () => number;
};

/** Entries that are put in force in one turn of the event loop: some 5 ms. */
const TURN_ENTRIES = 2_000;

/** Reads the cache, if there is one, and begins to follow the source. Does not wait for the source. */
export async function openDistributedApplications(options: DistributedOptions): Promise<Applications> {
  const { source, logger, now = Date.now, report } = options;
  const { copy, writtenMs: cachedMs } = await readCache(options);
  const follower = createFollower(copy, options, cachedMs);
  const { state } = follower;
  report(copy.position === undefined ? follower.why() : undefined);
  source.start(follower.receiver);
  const tokens = createTokens((tokenHash) => {
    if (copy.position === undefined) throw nothingKnown(follower.why());
    const grant = copy.grant(tokenHash);
    return grant !== undefined && now() < grant.expiresMs ? grant : undefined;
  });
  return {
    ...tokens,
    applicationSettings: (sdkAppId) => copy.settings(sdkAppId),
    terminated: () => copy.terminated,
    failure: () => (state.connected ? undefined : follower.why()),
    state: () => ({
      known: copy.position !== undefined,
      connected: state.connected,
      revision: copy.position?.revision ?? 0,
      currentMs: state.currentMs,
      tokens: copy.tokens,
      applications: copy.applications,
      malformed: state.malformed,
    }),
    stop: async () => {
      await source.stop();
      await follower.flushed();
      logger.debug('the registry is no longer followed');
    },
  };
}

/** `writtenMs`: when the cache was written; 0 where there is none that can be used, and then the copy is empty. */
async function readCache({ cacheFile, logger }: Pick<DistributedOptions, 'cacheFile' | 'logger'>): Promise<{
  readonly copy: RegistryCopy;
  readonly writtenMs: number;
}> {
  const nothing = { copy: new RegistryCopy(), writtenMs: 0 };
  if (cacheFile === '') return nothing;
  try {
    const copy = new RegistryCopy();
    const content = await readRegistryCache(cacheFile, (change) => copy.apply(change));
    if (content === undefined) return nothing;
    copy.position = content.position;
    logger.info(
      {
        cacheFile,
        revision: content.position.revision,
        tokens: copy.tokens,
        applications: copy.applications,
      },
      'cache of the registry read: it is in force until the source answers',
    );
    return { copy, writtenMs: content.writtenMs };
  } catch (error) {
    logger.error({ err: error, cacheFile }, 'cache of the registry is ignored, it will be written again');
    return nothing;
  }
}

type Follower = {
  readonly receiver: EntryReceiver;
  readonly state: { connected: boolean; currentMs: number; malformed: number };
  readonly why: () => string;
  readonly flushed: () => Promise<void>;
};

function createFollower(copy: RegistryCopy, options: DistributedOptions, cachedMs: number): Follower {
  const { source, logger, report, now = Date.now } = options;
  const state = { connected: false, currentMs: cachedMs, malformed: 0 };
  const cache = createCache(copy, options);
  let failure = 'not asked yet';
  const skip = (key: string, why: string): void => {
    state.malformed += 1;
    logger.warn({ key, source: source.name }, why);
  };
  const apply = (change: Parameters<RegistryCopy['apply']>[0]): void => {
    if (!copy.apply(change)) skip(change.key, 'entry of the registry is skipped: the local copy is full');
  };
  const setPosition = (position: NonNullable<RegistryCopy['position']>): void => {
    const isFirst = copy.position === undefined;
    copy.position = position;
    if (isFirst) report();
  };
  return {
    state,
    why: () => `${source.name}: ${failure}`,
    flushed: async () => cache?.flushed(),
    receiver: {
      position: () => copy.position,
      replace: async (entries, position) => {
        let count = 0;
        for (const change of entries.values()) {
          if (change !== undefined) apply(change);
          if ((count += 1) % TURN_ENTRIES === 0) await nextTurn();
        }
        copy.retain((key) => entries.has(key));
        setPosition(position);
        cache?.replaced();
        logger.info({ source: source.name, entries: entries.size, ...position }, 'registry read');
      },
      change: (changes, position) => {
        for (const change of changes) apply(change);
        setPosition(position);
        cache?.changed(changes, position);
      },
      malformed: (key) =>
        skip(key, 'entry of the registry is malformed: it is skipped, and what is known of it stays'),
      current: () => {
        if (!state.connected) logger.info({ source: source.name }, 'source of the registry answers');
        state.connected = true;
        state.currentMs = now();
      },
      failing: (why) => {
        if (state.connected || why !== failure) {
          logger.warn(
            { source: source.name, why },
            'source of the registry is away: what is known stays in force',
          );
        }
        state.connected = false;
        failure = why;
        if (copy.position === undefined) report(`${source.name}: ${why}`);
      },
    },
  };
}

function createCache(
  copy: RegistryCopy,
  { cacheFile, logger }: Pick<DistributedOptions, 'cacheFile' | 'logger'>,
): RegistryCache | undefined {
  if (cacheFile === '') return undefined;
  let failure = '';
  return new RegistryCache({
    path: cacheFile,
    entries: () => copy.entries(),
    position: () => copy.position,
    onFailure: (error) => {
      const message = error === undefined ? '' : errorMessage(error);
      if (message !== failure && message !== '') {
        logger.error(
          { err: error, cacheFile },
          'cache of the registry cannot be written: a start without the source would know less',
        );
      }
      failure = message;
    },
  });
}
