/* A service of nothing, run as a process by the lifecycle tests. */
import { secret, text } from '../src/config.js';
import { runService } from '../src/service.js';

await runService(
  {
    name: 'sample',
    settings: { name: text({ purpose: 'a name' }), password: secret({ default: '', purpose: 'a password' }) },
    dependencies: [],
    start: async ({ config, logger, fail }) => {
      if (config.name === 'fails-at-start') throw new Error('cannot start');
      if (config.name === 'fails-later') setTimeout(() => fail(new Error('broke down')), 10);
      return {
        stop: async () => {
          logger.info('sample stopped');
        },
      };
    },
  },
  process,
);
