/*
 * `main.js networks-load [--from=FOLDER]`: loads the address data of the installed package, or of a folder. Exit codes: 0
 * loaded, or loaded already; 1 the files cannot be read or the store refuses; 2 wrong use.
 */
import { parseArgs } from 'node:util';
import { settingsAreWrong } from '@imscope/runtime/config.js';
import { createStoreClient, type StoreSettings } from '@imscope/runtime/store-client.js';
import { loadNetworks } from './load-networks.js';
import { networkSource } from './network-files.js';

type LoadedSettings =
  { readonly ok: true; readonly config: StoreSettings } | { readonly ok: false; readonly errors: string[] };

type Output = {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
};

/** A reload of the dictionaries reads 12 million rows: seconds. */
const STORE_TIMEOUT_MS = 120_000;

export async function runNetworksLoad(
  args: readonly string[],
  loadSettings: () => LoadedSettings,
  { stdout, stderr }: Output,
): Promise<number> {
  const options = readOptions(args);
  const loaded = loadSettings();
  if (typeof options === 'string' || !loaded.ok) {
    stderr.write(typeof options === 'string' ? options : '');
    stderr.write(loaded.ok ? '' : settingsAreWrong('aggregator', loaded.errors));
    return 2;
  }
  const client = createStoreClient(loaded.config, 'imscope-networks', STORE_TIMEOUT_MS);
  try {
    const lines = await loadNetworks(client, networkSource(options.from));
    stdout.write(`${lines.join('\n')}\n`);
    return 0;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    stderr.write(`networks-load failed: ${reason}\n`);
    return 1;
  } finally {
    await client.close();
  }
}

/** Options, or what is wrong with them. */
function readOptions(args: readonly string[]): { readonly from: string | undefined } | string {
  try {
    const { values } = parseArgs({ args: [...args], options: { from: { type: 'string' } } });
    return { from: values.from };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `networks-load: ${reason}\nnetworks-load: give --from=FOLDER, or nothing for the installed data\n`;
  }
}
