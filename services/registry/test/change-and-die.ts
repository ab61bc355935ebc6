/*
 * A program for tests: changes an application, and kills its own process at a point of the change.
 * `node change-and-die.ts after_document|before_commit|after_commit`, with the settings in the environment.
 */
import { openState } from '../src/open-state.js';
import { configOf } from './backends.js';
import { changeQuota, dependenciesOf } from './direct-change.js';

const point = process.argv[2];
const dieAt = (here: string): void => {
  if (here === point) process.kill(process.pid, 'SIGKILL');
};

const environment = Object.fromEntries(
  Object.entries(process.env).map(([name, value]) => [name, value ?? '']),
);
const state = await openState(configOf(environment));
const { documents } = state;
const dependencies = dependenciesOf(state, {
  documents: {
    ...documents,
    write: async (transaction, versions) => {
      await documents.write(transaction, versions);
      dieAt('after_document');
    },
  },
  onChange: async () => dieAt('before_commit'),
});
await changeQuota(dependencies, 11, 'by the killed process');
dieAt('after_commit');
