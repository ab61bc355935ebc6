/* The store's process. Without UV_THREADPOOL_SIZE it starts itself again with a thread pool that is large enough. */
import { runService } from '@imscope/runtime/service.js';
import { differentPorts, hostAddress, probe, writableDirectory } from '@imscope/runtime/setting-probes.js';
import { refuseOpenStore, STORE_SETTINGS } from './config.js';
import { createStore } from './create-store.js';
import { runWithThreads, stopWithParent } from './thread-pool.js';

const threads = process.env['UV_THREADPOOL_SIZE'];
// With arguments the process only shows or checks settings, which needs no thread pool.
if (threads === undefined && process.argv.length === 2) {
  runWithThreads(process);
} else {
  stopWithParent(process);
  await runService(
    {
      name: 'store',
      settings: STORE_SETTINGS,
      dependencies: ['engine'],
      probes: [
        hostAddress('storeHost'),
        differentPorts('storePort', 'adminPort'),
        writableDirectory('storeDataDir'),
        probe('storePassword', refuseOpenStore, ['storeHost']),
      ],
      start: (context) => createStore(context, threads),
    },
    process,
  );
}
