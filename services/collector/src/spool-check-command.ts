/* The command `spool-check`: its arguments, and the report on standard output. */
import { parseArgs } from 'node:util';
import { errorMessage } from '@imscope/runtime/error-message.js';
import { checkSpool } from './spool/check-spool.js';
import { describeSpool } from './spool/describe-spool.js';

/** @returns the exit code: 0 complete, 1 damaged, 2 no spool */
export async function checkSpoolCommand(
  args: readonly string[],
  { stdout, stderr }: Pick<NodeJS.Process, 'stdout' | 'stderr'>,
): Promise<number> {
  const given = readArguments(args);
  if (typeof given === 'string') {
    stderr.write(`spool-check: ${given}\n`);
    return 2;
  }
  const { directory, json } = given;
  try {
    const report = await checkSpool(directory);
    stdout.write(
      json ? `${JSON.stringify(report, undefined, 2)}\n` : describeSpool(directory, report, Date.now()),
    );
    return report.faults.every(({ kind }) => kind === 'torn_tail') ? 0 : 1;
  } catch (error) {
    stderr.write(`spool-check: ${errorMessage(error)}\n`);
    return 2;
  }
}

/** The arguments, or what is wrong with them. */
function readArguments(args: readonly string[]): { directory: string; json: boolean } | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' } },
    });
    const [directory, ...more] = positionals;
    if (directory === undefined || more.length > 0) return 'name the directory of one spool';
    return { directory, json: values.json === true };
  } catch (error) {
    return errorMessage(error);
  }
}
