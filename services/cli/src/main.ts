/*
 * The `imscope` command. Reads top-down: signals, commands, exit codes. The only file that touches the process.
 */
import { Command, CommanderError } from 'commander';
import { createPrepareCommand } from './prepare-command.js';
import { createSendCommand } from './send-command.js';
import { EXIT } from './send-summary.js';
import type { Terminal } from './terminal.js';
import { createTopCommand } from './top-command.js';
import { UsageError } from './usage-error.js';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // The first one ends the command in order, with its summary; the second one at once.
  process.once(signal, () => stop.abort());
}
// A reader that has gone (`imscope top | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok);
});

const terminal: Terminal = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  stopping: stop.signal,
  stop: () => stop.abort(),
};
const onExit = (code: number): void => {
  process.exitCode = code;
};

const program = new Command('imscope')
  .description('Request logs of an instant messaging cloud: send them, watch them, keep the store in order.')
  .addCommand(createSendCommand(terminal, onExit))
  .addCommand(createTopCommand(terminal, onExit))
  .addCommand(createPrepareCommand(onExit));
for (const command of [program, ...program.commands]) {
  command.exitOverride().showHelpAfterError('(--help tells more)');
}

try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has said it already; help is no mistake.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else if (error instanceof UsageError) {
    process.stderr.write(`imscope: ${error.message}\n`);
    process.exitCode = EXIT.usage;
  } else throw error;
}
