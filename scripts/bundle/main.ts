/* `npm run bundle:agent [-- DIRECTORY]`: builds the archive, by default into `.imscope/bundle`, and says what is in it. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { createCommand, parseCommandLine } from '../options/command-line.js';
import { REPO_ROOT } from '../stack/repo-root.js';
import { bundleAgent } from './agent.js';

const command = createCommand(
  'bundle:agent',
  'Builds the gateway agent as one archive that needs nothing else, and its checksum.',
).argument('[directory]', 'where the archive is written', join(REPO_ROOT, '.imscope', 'bundle'));
parseCommandLine(command, process.argv.slice(2));
const [into] = command.processedArgs as [string];
const { archive, checksum, packages } = bundleAgent(into);
const megabytes = (statSync(archive).size / 1e6).toFixed(1);
process.stdout.write(`${archive}: ${megabytes} MB, ${packages.length} packages\n${checksum}\n`);
