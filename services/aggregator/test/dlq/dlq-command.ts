/* `imscope dlq` within this process, on the topics and the store of a test file. */
import { loadConfig } from '@imscope/runtime/config.js';
import { SETTINGS } from '../../src/config.js';
import { runDlq } from '../../src/dlq/run-dlq.js';
import type { AggregatorUnderTest } from '../aggregator-under-test.js';

export type Ended = { readonly code: number; readonly out: string; readonly error: string };

export async function runDlqCommand(
  { environment }: Pick<AggregatorUnderTest, 'environment'>,
  args: readonly string[],
): Promise<Ended> {
  let [out, error] = ['', ''];
  const code = await runDlq(args, {
    loadSettings: () => loadConfig(SETTINGS, environment),
    write: (text) => void (out += text),
    writeError: (text) => void (error += text),
    style: { columns: undefined, colours: false },
    nowMs: Date.now,
  });
  return { code, out, error };
}
