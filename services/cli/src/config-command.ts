/*
 * `imscope config check`: each service's own look at its settings before a start.
 */
import { existsSync } from 'node:fs';
import { Argument, Command } from 'commander';
import type { Screen } from './progress.js';
import { runServiceCommand, type ServiceName } from './service-command.js';
import { UsageError } from './usage-error.js';

const SERVICES = ['collector', 'aggregator', 'query', 'store'] as const satisfies readonly ServiceName[];

type Options = { readonly envFile?: string; readonly json?: true };

export function createConfigCommand(stderr: Screen, onExit: (code: number) => void): Command {
  const check = new Command('check')
    .description(
      'Look at a service’s settings before a start: what is in force and where it comes from, what is wrong, which names are misspelt, whether files, directories and certificates can be used.',
    )
    .addArgument(new Argument('[services...]', 'which services (default: all)').choices(SERVICES))
    .option(
      '--env-file <file>',
      'read the settings out of this file (NAME=value lines) instead of the environment',
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
      for (const service of services.length === 0 ? SERVICES : services) {
        worst = Math.max(worst, await runServiceCommand(service, args, stderr));
      }
      onExit(worst);
    });
  return new Command('config').description('Look after the settings of services.').addCommand(check);
}
