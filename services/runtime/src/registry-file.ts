/*
 * One file says who may send, how much, and how applications judge codes; it holds only the SHA-256 of tokens. It
 * is looked at every few seconds, so a token that is taken out stops working within them. A file that does not
 * hold together leaves the last good one in force, and says so until it is mended.
 */
import { readFileSync, statSync } from 'node:fs';
import { errorMessage } from './error-message.js';
import type { LookUpApplication } from '@imscope/access/application-settings.js';
import type { Logger } from './logger.js';
import { parseRegistry, type RegistryContent } from './registry-content.js';
import { createTokens, type Tokens } from './tokens.js';

export type Registry = Tokens & {
  readonly applicationSettings: LookUpApplication;
  /** Why the file as it stands now is not in force; undefined while it is. */
  readonly failure: () => string | undefined;
  stop(): void;
};

export type RegistryOptions = {
  readonly reloadIntervalMs?: number;
  /** The wall clock, for tokens that expire. */
  readonly now?: () => number;
};

const RELOAD_INTERVAL_MS = 5_000;
/** 10,000 tokens and 100,000 applications come to some 15 MB. */
const FILE_BYTES_MAX = 64 << 20;

/** Reads the registry file. Throws where it is missing or does not hold together: a service does not start without. */
export function openRegistry(path: string, logger: Logger, options: RegistryOptions = {}): Registry {
  const { reloadIntervalMs = RELOAD_INTERVAL_MS, now = Date.now } = options;
  let stamp = stampOf(path);
  let content = readRegistry(path);
  let failure: string | undefined;
  const reload = (): void => {
    try {
      const newStamp = stampOf(path);
      // A file that failed is tried again, for it may have been caught half written.
      if (newStamp === stamp && failure === undefined) return;
      content = readRegistry(path);
      stamp = newStamp;
      failure = undefined;
      logger.info(
        { path, tokens: content.grants.size, applications: content.applications.size },
        'registry file read again',
      );
    } catch (error) {
      const message = errorMessage(error);
      if (message !== failure) {
        logger.error(
          { err: error, path },
          'registry file cannot be read again: the last good one stays in force',
        );
      }
      failure = message;
    }
  };
  const timer = setInterval(reload, reloadIntervalMs);
  timer.unref();
  const tokens = createTokens((tokenHash) => {
    const grant = content.grants.get(tokenHash);
    return grant !== undefined && now() < grant.expiresMs ? grant : undefined;
  });
  return {
    ...tokens,
    applicationSettings: (sdkAppId) => content.applications.get(sdkAppId) ?? content.defaults,
    failure: () => failure,
    stop: () => clearInterval(timer),
  };
}

/** Changes whenever the file is written or another is put in its place. */
function stampOf(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${mtimeMs}/${size}/${ino}`;
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Throws where the file is missing or does not hold together. */
export function readRegistry(path: string): RegistryContent {
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > FILE_BYTES_MAX) throw new Error(`it has ${size} bytes: at most ${FILE_BYTES_MAX} are read`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    return parseRegistry(text);
  } catch (error) {
    throw new Error(`registry file ${path} is malformed: ${errorMessage(error)}`, { cause: error });
  }
}

function unreadable(path: string, error: unknown): Error {
  return new Error(
    `registry file ${path} cannot be read: ${errorMessage(error)}; give a JSON file {"tokens":[…]}`,
    {
      cause: error,
    },
  );
}
