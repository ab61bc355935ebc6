/*
 * The applications file (REGISTRY_FILE): tokens, their grants, and settings of applications. The file is checked for
 * changes every few seconds, so a token that is removed from it stops working within that time. While the file is
 * malformed, the last good content stays in force.
 */
import { readFileSync, statSync } from 'node:fs';
import { errorMessage } from '@imscope/runtime/error-message.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Applications } from './applications.js';
import { type ApplicationsFileContent, parseApplicationsFile } from './applications-file-content.js';
import { createTokens } from './tokens.js';

export type ApplicationsFileOptions = {
  readonly reloadIntervalMs?: number;
  /** The wall clock, for tokens that expire. */
  readonly now?: () => number;
};

const RELOAD_INTERVAL_MS = 5_000;
/** 10,000 tokens and 100,000 applications take some 15 MB. */
const FILE_BYTES_MAX = 64 << 20;

/** Opens the file and watches it. Throws where it is missing or malformed: a service does not start without it. */
export function openApplicationsFile(
  path: string,
  logger: Logger,
  options: ApplicationsFileOptions = {},
): Applications {
  const { reloadIntervalMs = RELOAD_INTERVAL_MS, now = Date.now } = options;
  let version = versionOf(path);
  let content = readApplicationsFile(path);
  let terminated = terminatedOf(content);
  let failure: string | undefined;
  let currentMs = now();
  const read = (newVersion: string): void => {
    content = readApplicationsFile(path);
    terminated = terminatedOf(content);
    version = newVersion;
    failure = undefined;
    const { grants, applications } = content;
    logger.info(
      { path, tokens: grants.size, applications: applications.size },
      'applications file read again',
    );
  };
  const reload = (): void => {
    try {
      const newVersion = versionOf(path);
      // A file that failed is read again even if it did not change: it may have been half written.
      if (newVersion !== version || failure !== undefined) read(newVersion);
      currentMs = now();
    } catch (error) {
      const message = errorMessage(error);
      if (message !== failure) {
        logger.error(
          { err: error, path },
          'applications file cannot be read again: the last good content stays in force',
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
    terminated: () => terminated,
    failure: () => failure,
    state: () => ({
      known: true,
      connected: failure === undefined,
      revision: 0,
      currentMs,
      tokens: content.grants.size,
      applications: content.applications.size,
      malformed: 0,
    }),
    stop: async () => clearInterval(timer),
  };
}

function terminatedOf({ applications }: ApplicationsFileContent): ReadonlySet<number> {
  const found = new Set<number>();
  for (const [sdkAppId, { status }] of applications) if (status === 'terminated') found.add(sdkAppId);
  return found;
}

/** Changes whenever the file is written or replaced. */
function versionOf(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${mtimeMs}/${size}/${ino}`;
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Throws where the file is missing or malformed. */
export function readApplicationsFile(path: string): ApplicationsFileContent {
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > FILE_BYTES_MAX) throw new Error(`it has ${size} bytes: at most ${FILE_BYTES_MAX} are read`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    return parseApplicationsFile(text);
  } catch (error) {
    throw new Error(`applications file (REGISTRY_FILE) ${path} is malformed: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

function unreadable(path: string, error: unknown): Error {
  return new Error(
    `applications file (REGISTRY_FILE) ${path} cannot be read: ${errorMessage(error)}; give a JSON file {"tokens":[…]}`,
    { cause: error },
  );
}
