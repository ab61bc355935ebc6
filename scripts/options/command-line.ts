/*
 * The one way a script reads its command line. A mistake prints the option, the value received and the values
 * allowed, and ends the process with code 2; `--help` ends it with 0.
 */
import { Command, type CommanderError } from 'commander';

const EXIT_USAGE = 2;

/** A command without options yet; `Option`s and value types (value-types.ts) are added by its caller. */
export function createCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .showHelpAfterError('(--help lists all options)')
    .exitOverride(endProcess);
}

/** @param argv without node and the script @returns the command; its `opts()` are named in camel case */
export function parseCommandLine(command: Command, argv: readonly string[]): Command {
  return command.parse([...argv], { from: 'user' });
}

function endProcess({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? 0 : EXIT_USAGE);
}
