/* `imscope config check`: runs the `check` command of services, which checks their settings before a start. */
import { existsSync } from 'node:fs';
import { Argument, Command } from 'commander';
import { serviceEnvironment } from './command/local-stack.js';
import { runServiceCommand } from './service-command.js';
import { SERVICE_NAMES, type ServiceName } from './command/service-name.js';
import type { Terminal } from './command/terminal.js';
import { UsageError } from './command/usage-error.js';

type Options = { readonly envFile?: string; readonly json?: true };

export function createConfigCommand(terminal: Terminal, onExit: (code: number) => void): Command {
  const check = new Command('check')
    .description(
      'Check a service’s settings before a start: the values in force and their source, faults, misspelt names, and whether files, directories and certificates can be used.',
    )
    .addArgument(new Argument('[services...]', 'which services (default: all)').choices(SERVICE_NAMES))
    .option(
      '--env-file <file>',
      'read the settings out of this file (NAME=value lines) instead of the environment and the local stack',
    )
    .option('--json', 'print a line of JSON for each service')
    .addHelpText('after', '\nExit codes: 0 nothing is wrong; 2 something is, or wrong options.\n')
    .action(async (services: readonly ServiceName[], { envFile, json }: Options) => {
      if (envFile !== undefined && !existsSync(envFile)) throw new UsageError(`there is no file ${envFile}`);
      const args = [
        'check',
        ...(envFile === undefined ? [] : [`--env-file=${envFile}`]),
        ...(json === true ? ['--json'] : []),
      ];
      let worst = 0;
      for (const service of services.length === 0 ? SERVICE_NAMES : services) {
        const { environment, local } = environmentOf(service, terminal.environment, envFile);
        const fromLocal = local.length === 0 ? [] : [`--local-stack=${local.join(',')}`];
        const code = await runServiceCommand(service, [...args, ...fromLocal], environment, terminal.stderr);
        worst = Math.max(worst, code);
      }
      onExit(worst);
    });
  return new Command('config').description('Check the settings of services.').addCommand(check);
}

/** A file of settings is complete: the local stack adds nothing to it. */
function environmentOf(
  service: ServiceName,
  environment: Terminal['environment'],
  envFile: string | undefined,
): Pick<ReturnType<typeof serviceEnvironment>, 'environment' | 'local'> {
  return envFile === undefined ? serviceEnvironment(service, environment) : { environment, local: [] };
}
