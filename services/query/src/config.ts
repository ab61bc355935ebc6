/*
 * The query service's settings, one table.
 */
import { SOURCE_SETTINGS } from '@imscope/access/source-settings.js';
import { flag, integer, list, secret, type Settings, text } from '@imscope/runtime/config.js';
import { KAFKA_SETTINGS } from '@imscope/runtime/kafka-client.js';
import { OPTIONAL_DATABASE_SETTINGS } from '@imscope/state/database-settings.js';
import { STORE_SETTINGS } from '@imscope/runtime/store-client.js';

const MIB = 1 << 20;

export const QUERY_SETTINGS = {
  queryHost: text({ default: '127.0.0.1', purpose: 'address of the API and the dashboard' }),
  queryPort: integer({
    default: 8080,
    min: 0,
    max: 65_535,
    purpose: 'port of the API and the dashboard; 0 takes a free one',
  }),
  ...SOURCE_SETTINGS,
  dashboardDir: text({ default: '', purpose: 'folder of the built dashboard; empty serves the API alone' }),
  registryUrl: text({
    default: '',
    purpose:
      'address of the registry, such as http://127.0.0.1:8090: requests to /v1/registry/ are passed on to it; empty: there is none',
  }),
  sessionKey: secret({
    default: '',
    purpose:
      'signs dashboard sessions, 32 characters or more; not set: a new one at each start, so a restart signs out',
  }),
  cookieSecure: flag({
    default: false,
    purpose: 'true where browsers come by HTTPS: the session cookie never travels in the clear',
  }),
  trustProxy: flag({
    default: false,
    purpose: 'true behind a proxy that sets X-Forwarded-For and X-Forwarded-Host; never otherwise',
  }),
  networkRowRequestsMin: integer({
    default: 20,
    min: 2,
    max: 10_000,
    purpose: 'logged requests that a row of a network has at least',
  }),
  networkRowAddressesMin: integer({
    default: 5,
    min: 2,
    max: 100,
    purpose: 'different exit addresses that a row of a network has at least',
  }),
  storeQueriesMax: integer({
    default: 4,
    min: 1,
    max: 64,
    purpose: 'queries put to the store at once, three quarters of them of one caller',
  }),
  storeQueueMax: integer({
    default: 1_024,
    min: 0,
    max: 4_096,
    purpose: 'questions that may wait, three quarters of them of one caller; beyond it callers get 503',
  }),
  storeQueueWaitMsMax: integer({
    default: 5_000,
    min: 10,
    max: 60_000,
    purpose: 'longest a question waits, milliseconds; then its caller gets 503',
  }),
  queryTimeoutMs: integer({
    default: 15_000,
    min: 100,
    max: 120_000,
    purpose: 'longest the store may take for one question, milliseconds; then its caller gets 504',
  }),
  queryMemoryBytesMax: integer({
    default: 1_024 * MIB,
    min: 64 * MIB,
    max: 65_536 * MIB,
    purpose: 'memory the store may take for one question, bytes; beyond it callers get 422',
  }),
  queryRowsReadMax: integer({
    default: 1_000_000_000,
    min: 1_000,
    max: 1_000_000_000_000_000,
    purpose: 'rows the store may read for one answer; beyond it callers get 422',
  }),
  answerMemoryBytesMax: integer({
    default: 512 * MIB,
    min: 256 * MIB,
    max: 65_536 * MIB,
    purpose:
      'memory for all answers that are built or sent at a time, bytes; a caller has half of it, and beyond it requests wait, then get 503',
  }),
  answerSendMsMax: integer({
    default: 30_000,
    min: 100,
    max: 600_000,
    purpose: 'longest an answer may take to leave, milliseconds; then its connection is closed',
  }),
  waitingInterfaces: list({
    default: [],
    purpose:
      'interfaces that wait on purpose in every application, such as long polls, with commas between: their delay is not judged; the registry may add others to an application',
  }),
  exportsMax: integer({
    default: 2,
    min: 1,
    max: 64,
    purpose: 'exports at once; a caller has half of them, and beyond it callers get 429',
  }),
  exportRowsMax: integer({
    default: 1_000_000,
    min: 1,
    max: 100_000_000,
    purpose: 'requests of one export; callers get 422 for one that would have more',
  }),
  exportMsMax: integer({
    default: 600_000,
    min: 1_000,
    max: 7_200_000,
    purpose: 'longest the store may take for one export, milliseconds; then its connection is closed',
  }),
  tailsMax: integer({
    default: 20,
    min: 1,
    max: 1_000,
    purpose: 'live tails at once; a caller has half of them, and beyond it callers get 429',
  }),
  logRowsMax: integer({
    default: 500_000,
    min: 0,
    max: 1_000_000_000,
    purpose:
      'logged requests of a window up to which the logs of an application that is not sampled are summed themselves; beyond, its metrics are',
  }),
  ...OPTIONAL_DATABASE_SETTINGS,
  ...STORE_SETTINGS,
  // Read only where REGISTRY_TOPIC is true.
  ...KAFKA_SETTINGS,
} satisfies Settings;
