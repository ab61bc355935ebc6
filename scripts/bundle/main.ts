/* `npm run bundle:agent [-- DIRECTORY]`: builds the archive, by default into `.imscope/bundle`, and says what is in it. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { REPO_ROOT } from '../stack/repo-root.js';
import { bundleAgent } from './agent.js';

const into = process.argv[2] ?? join(REPO_ROOT, '.imscope', 'bundle');
const { archive, checksum, packages } = bundleAgent(into);
const megabytes = (statSync(archive).size / 1e6).toFixed(1);
process.stdout.write(`${archive}: ${megabytes} MB, ${packages.length} packages\n${checksum}\n`);
