/* `imscope app callback-test`: calls the callback of an application once, from the registry. */
import { Command } from 'commander';
import { printable } from '../command/http-answer.js';
import { EXIT } from '../command/exit-codes.js';
import { addCommonOptions, type AppContext, type AppOptions, print, withRegistry } from './app-context.js';
import { application } from './read-commands.js';

export function callbackTestCommand(context: AppContext): Command {
  return addCommonOptions(new Command('callback-test'))
    .description('Call the callback URL once, from the registry, with the checks of every use.')
    .addArgument(application())
    .addHelpText(
      'after',
      '\nExit codes: 0 a status from 200 to 299; 1 another, or no answer; 2 wrong options.\n',
    )
    .action((id: number, options: AppOptions) =>
      withRegistry(context, options, async ({ call }) => {
        const answer = await call('testCallback', { params: { sdk_app_id: id } }, context.terminal.stopping);
        const { status, address, duration_ms: durationMs } = answer;
        print(
          context,
          options,
          answer,
          () => `status ${status} from ${printable(address, 64)} after ${Math.round(durationMs)} ms`,
        );
        if (status >= 200 && status <= 299) return EXIT.ok;
        context.terminal.stderr.write(
          `imscope: the callback answered ${status}: a status from 200 to 299 is success; look at its server\n`,
        );
        return EXIT.failed;
      }),
    );
}
