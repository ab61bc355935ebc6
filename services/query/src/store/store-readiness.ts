/*
 * Checks every few seconds that the store answers and has the tables that the questions read.
 */
import type { ClickHouseClient } from '@clickhouse/client';

const INTERVAL_MS = 5_000;
const LOOK_TIMEOUT_MS = 4_000;

/** Checks at once, then at an interval. @param report receives the failure; undefined where there is none */
export function watchStore(
  client: ClickHouseClient,
  report: (failure: string | undefined) => void,
): { stop(): void } {
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    report(await failureOf(client));
    looking = false;
  };
  void look();
  const timer = setInterval(() => void look(), INTERVAL_MS);
  return { stop: () => clearInterval(timer) };
}

/** Never throws. */
async function failureOf(client: ClickHouseClient): Promise<string | undefined> {
  try {
    const result = await client.query({
      query: 'SELECT count() FROM request_log_kept WHERE sdk_app_id = 0',
      format: 'JSON',
      abort_signal: AbortSignal.timeout(LOOK_TIMEOUT_MS),
    });
    await result.text();
    return undefined;
  } catch (error) {
    return `the store does not answer: ${error instanceof Error ? error.message : String(error)}`;
  }
}
