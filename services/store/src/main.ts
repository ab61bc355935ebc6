import { runService } from '@imscope/runtime/service.js';
import { differentPorts, hostAddress, probe, writableDirectory } from '@imscope/runtime/setting-probes.js';
import { refuseOpenStore, STORE_SETTINGS } from './config.js';
import { startStore } from './server.js';
import { runWithThreads, stopWithParent } from './thread-pool.js';

const threads = process.env['UV_THREADPOOL_SIZE'];
// With arguments it does not serve: it shows or checks settings, or refuses.
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
      start: (context) => startStore(context, threads),
    },
    process,
  );
}
