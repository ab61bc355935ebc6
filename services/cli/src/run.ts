/* One run of the `imscope` command: arguments and a terminal in, an exit code out. */
import { Command, CommanderError } from 'commander';
import { createAppCommand } from './app/app-command.js';
import { createCollectorCommand } from './collector-command.js';
import { createConfigCommand } from './config-command.js';
import { createDlqCommand } from './dlq-command.js';
import { createLedgerCommand } from './ledger-command.js';
import { createNetworksCommand } from './networks-command.js';
import { createPrepareCommand } from './prepare-command.js';
import { createQueryCommand } from './query/query-command.js';
import { createSendCommand } from './send-command.js';
import { EXIT } from './command/exit-codes.js';
import { createSpoolCommand } from './spool-command.js';
import { createTapCommand } from './tap-command.js';
import type { Terminal } from './command/terminal.js';
import { createTopCommand } from './top-command.js';
import { LogFormatError } from '@imscope/access-log/log-format-error.js';
import { UsageError } from './command/usage-error.js';

/** @param args without node and the script. Throws unexpected errors. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode: number = EXIT.ok;
  const onExit = (code: number): void => {
    exitCode = code;
  };
  const program = new Command('imscope')
    .description(
      'Request logs of an instant messaging cloud: send them, watch them, configure applications, keep the store in order.',
    )
    .addCommand(createSendCommand(terminal, onExit))
    .addCommand(createTopCommand(terminal, onExit))
    .addCommand(createTapCommand(terminal, onExit))
    .addCommand(createQueryCommand(terminal, onExit))
    .addCommand(createAppCommand(terminal, onExit))
    .addCommand(createConfigCommand(terminal, onExit))
    .addCommand(createPrepareCommand(terminal, onExit))
    .addCommand(createNetworksCommand(terminal, onExit))
    .addCommand(createSpoolCommand(terminal, onExit))
    .addCommand(createCollectorCommand(terminal, onExit))
    .addCommand(createDlqCommand(terminal, onExit))
    .addCommand(createLedgerCommand(terminal, onExit));
  for (const command of withSubcommands(program)) {
    command
      .exitOverride()
      .showHelpAfterError(helpAfterError(command))
      .configureOutput({
        writeOut: (text) => terminal.stdout.write(text),
        writeErr: (text) => terminal.stderr.write(text),
      });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    // commander has already printed the message. Help is not an error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (!(error instanceof UsageError || error instanceof LogFormatError)) throw error;
    terminal.stderr.write(`imscope: ${error.message}\n`);
    return EXIT.usage;
  }
}

function helpAfterError({ commands }: Command): string {
  const names = commands.map((command) => command.name()).join(', ');
  return names === '' ? '(--help tells more)' : `(commands: ${names}; --help tells more)`;
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}
