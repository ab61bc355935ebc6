/*
 * The process of the aggregator and its commands. `main.js` runs it; `main.js prepare [--dry-run]` creates tables and
 * topics; `main.js networks-load [--from=FOLDER]` loads address data; `--check-config` shows settings, `main.js check` tests them; `main.js dlq-ls`, `dlq-show` and `dlq-redrive`
 * handle dead letters; `main.js ledger-check` reconciles once; `main.js collector-retire` books that a collector is gone
 * for ever.
 */
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { loadConfig, settingsAreWrong } from '@imscope/runtime/config.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { runService } from '@imscope/runtime/service.js';
import { SettingsError } from '@imscope/runtime/settings-error.js';
import { hostPorts, httpUrl } from '@imscope/runtime/setting-probes.js';
import { checkTermSettings } from '@imscope/runtime/term-settings.js';
import { SETTINGS } from './config.js';
import { createAggregator } from './create-aggregator.js';
import { runDlq } from './dlq/run-dlq.js';
import { runNetworksLoad } from './networks/run-networks-load.js';
import { prepare } from './prepare.js';
import { runLedgerCheck } from './reconcile/ledger-check.js';
import { runRetire } from './retire/run-retire.js';

async function runPrepare(args: readonly string[]): Promise<number> {
  const [option, ...more] = args;
  if ((option !== undefined && option !== '--dry-run') || more.length > 0) {
    process.stderr.write(
      `prepare: ${JSON.stringify(args.join(' '))} is no option: give --dry-run, or nothing\n`,
    );
    return 2;
  }
  const loaded = loadConfig(SETTINGS, process.env);
  const errors = loaded.ok ? checkTermSettings(loaded.config) : loaded.errors;
  if (!loaded.ok || errors.length > 0) {
    process.stderr.write(settingsAreWrong('aggregator', errors));
    return 2;
  }
  try {
    const lines = await prepare(loaded.config, option !== undefined, createLogger('prepare', 'warn'));
    process.stdout.write(`${lines.join('\n')}\n`);
    return 0;
  } catch (error) {
    const isRefused = error instanceof SettingsError;
    if (isRefused) process.stderr.write(settingsAreWrong('aggregator', error.faults));
    else process.stderr.write(`prepare failed: ${error instanceof Error ? error.message : String(error)}\n`);
    return isRefused ? 2 : 1;
  }
}

function runDlqCommand(name: string, args: readonly string[]): Promise<number> {
  const { stdout, stderr, env } = process;
  // A reader that has gone (`dlq ls | head`) is no failure.
  stdout.on('error', () => process.exit(0));
  return runDlq([name, ...args], {
    loadSettings: () => loadConfig(SETTINGS, env),
    write: (text) => void stdout.write(text),
    writeError: (text) => void stderr.write(text),
    style: {
      columns: stdout.isTTY ? stdout.columns : undefined,
      colours: stdout.isTTY && (env['NO_COLOR'] ?? '') === '',
    },
    nowMs: Date.now,
  });
}

function runLedgerCommand(args: readonly string[]): Promise<number> {
  process.stdout.on('error', () => process.exit(0));
  return runLedgerCheck(args, () => loadConfig(SETTINGS, process.env), process);
}

function runRetireCommand(args: readonly string[]): Promise<number> {
  const { stdin, stdout, stderr, env } = process;
  const confirm = async (question: string): Promise<string> => {
    const lines = createInterface({ input: stdin, output: stderr });
    try {
      return await lines.question(question);
    } finally {
      lines.close();
    }
  };
  return runRetire(args, {
    loadSettings: () => loadConfig(SETTINGS, env),
    write: (text) => void stdout.write(text),
    writeError: (text) => void stderr.write(text),
    userName: userInfo().username,
    confirm: stdin.isTTY ? confirm : undefined,
    nowMs: Date.now,
  });
}

await runService(
  {
    name: 'aggregator',
    settings: SETTINGS,
    check: checkTermSettings,
    dependencies: ['kafka', 'store'],
    commands: {
      prepare: runPrepare,
      'networks-load': (args) => runNetworksLoad(args, () => loadConfig(SETTINGS, process.env), process),
      'dlq-ls': (args) => runDlqCommand('dlq-ls', args),
      'dlq-show': (args) => runDlqCommand('dlq-show', args),
      'dlq-redrive': (args) => runDlqCommand('dlq-redrive', args),
      'ledger-check': runLedgerCommand,
      'collector-retire': runRetireCommand,
    },
    probes: [hostPorts('kafkaBrokers'), httpUrl('storeUrl')],
    start: createAggregator,
  },
  process,
);
