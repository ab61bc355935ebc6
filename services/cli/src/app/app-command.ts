/* `imscope app`: applications and their configuration, by the registry's API. */
import { Command } from 'commander';
import type { Terminal } from '../command/terminal.js';
import { exportCommand, exportsCommand, importCommand } from './bulk-commands.js';
import { callbackTestCommand } from './callback-test-command.js';
import { changeCommands } from './change-commands.js';
import { readCommands } from './read-commands.js';
import { recordCommands } from './record-commands.js';
import { secretCommands } from './secret-commands.js';
import { tokensCommand } from './token-commands.js';

export function createAppCommand(terminal: Terminal, onExit: (code: number) => void): Command {
  const context = { terminal, onExit };
  const command = new Command('app').description('Applications: create, change, history, lifecycle, tokens.');
  const commands = [
    ...readCommands(context),
    ...recordCommands(context),
    ...changeCommands(context),
    ...secretCommands(context),
    callbackTestCommand(context),
    importCommand(context),
    exportCommand(context),
    exportsCommand(context),
    tokensCommand(context),
  ];
  for (const one of commands) command.addCommand(one);
  return command.addHelpText(
    'after',
    '\nThe token has scope admin. It comes from IMSCOPE_ADMIN_TOKEN, from --token-file, or from the local stack.\n\nExit codes: 0; 1 refused, or no answer; 2 wrong options.\n',
  );
}
