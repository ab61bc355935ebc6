/*
 * What a service's process was asked to do. Without arguments it runs the service; with a command it does that and
 * ends. Anything else is refused: a word that is not understood never starts a second service.
 */

/** Resolves to the exit code. `args` are those after the command's name. */
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
  // What was given may hold control characters; quoted it cannot change the terminal.
  const given = JSON.stringify(first === SHOW_CONFIG ? rest[0] : first);
  const what =
    first === SHOW_CONFIG ? `${SHOW_CONFIG} is followed by ${given}` : `there is no command ${given}`;
  const allowed = [...Object.keys(commands), SHOW_CONFIG].join(', ');
  return {
    kind: 'refused',
    message: `${service}: ${what}: give one of ${allowed}, or nothing to run the service`,
  };
}
