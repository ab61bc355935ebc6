/*
 * Tells an operator where requests without a valid token come from: networks, not addresses, and one line for many.
 * Who guesses tokens shows here, and so does a gateway whose token has expired.
 */
import type { Logger } from '@imscope/runtime/logger.js';
import { maskIp } from './ip-text.js';
import { SampledLog } from './sampled-log.js';

export type RefusalLog = {
  /** @param client undefined where it is not known */
  answered(status: number, client: string | undefined): void;
};

export function createRefusalLog(logger: Logger): RefusalLog {
  const logs = new Map(
    [401, 403].map((status) => [
      status,
      new SampledLog((client, requests) =>
        logger.info({ client, status, requests }, 'requests refused for their token'),
      ),
    ]),
  );
  return {
    answered: (status, client) => {
      logs.get(status)?.note(client === undefined ? 'unknown' : maskIp(client), performance.now());
    },
  };
}
