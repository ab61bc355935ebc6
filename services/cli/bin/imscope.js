#!/usr/bin/env node
/* The `imscope` command. It runs the built CLI, or says that it is not built: this file needs no build itself. */
import { existsSync } from 'node:fs';

const built = [
  '../dist/main.js',
  '../../../schemas/dist/request-log.js',
  '../../runtime/dist/error-message.js',
].every((file) => existsSync(new URL(file, import.meta.url)));
if (built) await import('../dist/main.js');
else {
  process.stderr.write('imscope is not built yet: run "npm run build" in the repository first\n');
  process.exitCode = 2;
}
