import { runService } from '@imscope/runtime/service.js';
import { differentPorts, hostAddress, probe, writableDirectory } from '@imscope/runtime/setting-probes.js';
import { refuseOpenStore, STORE_SETTINGS } from './config.js';
import { startStore } from './server.js';
import { runWithThreads, stopWithParent } from './thread-pool.js';

const threads = process.env['UV_THREADPOOL_SIZE'];
if (threads === undefined && !process.argv.includes('--check-config') && process.argv[2] !== 'check') {
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
