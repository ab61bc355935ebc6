#!/usr/bin/env node
/* The `imscope` command. It runs what `npm run build` made; this file alone is there before the build. */
import { existsSync } from 'node:fs';

const built = ['../dist/main.js', '../../../schemas/dist/request-log.js'].every((file) =>
  existsSync(new URL(file, import.meta.url)),
);
if (built) await import('../dist/main.js');
else {
  process.stderr.write('imscope is not built yet: run "npm run build" in the repository first\n');
  process.exitCode = 2;
}
