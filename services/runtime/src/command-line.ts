/*
 * Parses the arguments of a service's process. Without arguments it runs the service; with a command it runs the
 * command and ends. Anything else is refused, so that a mistyped command never starts a second service.
 */

/** Resolves to the exit code. `args` follow the command's name. */
export type ServiceCommand = (args: readonly string[]) => number | Promise<number>;
export type ServiceCommands = Readonly<Record<string, ServiceCommand>>;

export type CommandLine =
  | { readonly kind: 'run' }
  | { readonly kind: 'show_config' }
  | { readonly kind: 'command'; readonly command: ServiceCommand; readonly args: readonly string[] }
  | { readonly kind: 'refused'; readonly message: string };

const SHOW_CONFIG = '--check-config';

/** @param args without node and the script */
export function readCommandLine(
  service: string,
  args: readonly string[],
  commands: ServiceCommands,
): CommandLine {
  const [first, ...rest] = args;
  if (first === undefined) return { kind: 'run' };
  const command = Object.hasOwn(commands, first) ? commands[first] : undefined;
  if (command !== undefined) return { kind: 'command', command, args: rest };
  if (first === SHOW_CONFIG && rest.length === 0) return { kind: 'show_config' };
  // The argument may contain control characters. JSON escapes them, so it cannot change the terminal.
  const given = JSON.stringify(first === SHOW_CONFIG ? rest[0] : first);
  const problem =
    first === SHOW_CONFIG ? `${SHOW_CONFIG} is followed by ${given}` : `there is no command ${given}`;
  const allowed = [...Object.keys(commands), SHOW_CONFIG].join(', ');
  return {
    kind: 'refused',
    message: `${service}: ${problem}: give one of ${allowed}, or nothing to run the service`,
  };
}
