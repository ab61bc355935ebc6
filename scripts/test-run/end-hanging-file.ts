/*
 * Loaded into the process of each test file: ends it at its bound and prints what keeps it alive. The runner's own timeout
 * ends a test, not a process that stays alive after its tests because they did not stop something.
 * In the query of its address: `ms`, the bound in milliseconds.
 */
const ms = Number(new URL(import.meta.url).searchParams.get('ms'));

setTimeout(() => {
  const resources = [...new Set(process.getActiveResourcesInfo())].join(', ');
  process.stderr.write(`the file did not end within ${ms / 1000} s; still active: ${resources}\n`);
  process.exit(1);
}, ms).unref();
