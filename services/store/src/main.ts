import { runService } from '@imscope/runtime/service.js';
import { STORE_SETTINGS } from './config.js';
import { startStore } from './server.js';

await runService(
  { name: 'store', settings: STORE_SETTINGS, dependencies: ['engine'], start: startStore },
  process,
);
