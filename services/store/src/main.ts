import { runService } from '@imscope/runtime/service.js';
import { STORE_SETTINGS } from './config.js';
import { startStore } from './server.js';
import { runWithThreads, stopWithParent } from './thread-pool.js';

const threads = process.env['UV_THREADPOOL_SIZE'];
if (threads === undefined && !process.argv.includes('--check-config')) {
  runWithThreads(process);
} else {
  stopWithParent(process);
  await runService(
    {
      name: 'store',
      settings: STORE_SETTINGS,
      dependencies: ['engine'],
      start: (context) => startStore(context, threads),
    },
    process,
  );
}
