/*
 * The query service's process: answers about applications out of the request logs, and the dashboard's files.
 */
import { runService } from '@imscope/runtime/service.js';
import { QUERY_SETTINGS } from './config.js';
import { startQuery } from './query.js';

await runService(
  {
    name: 'query',
    settings: QUERY_SETTINGS,
    dependencies: ['store'],
    start: startQuery,
  },
  process,
);
