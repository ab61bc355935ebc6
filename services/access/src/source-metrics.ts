/* Metrics of what a service knows of tokens and applications, and of their source. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Applications, ApplicationsState } from './applications.js';

const MALFORMED = 'registry_malformed_entries_total';

/** @param prefix of the service, such as `imscope_query` @param now the wall clock */
export function addSourceMetrics(
  registry: Registry,
  prefix: string,
  applications: Pick<Applications, 'state'>,
  now: () => number = Date.now,
): void {
  const gauge = (name: string, help: string, read: (state: ApplicationsState) => number): void => {
    const made: Gauge = new Gauge({
      name: `${prefix}_${name}`,
      help,
      registers: [registry],
      collect: () => made.set(read(applications.state())),
    });
  };
  gauge(
    'registry_connected',
    '1 while the source of tokens and applications answers, else 0',
    ({ connected }) => (connected ? 1 : 0),
  );
  gauge(
    'registry_age_seconds',
    'seconds since what is known of tokens and applications was the newest; -1: nothing is known',
    ({ known, currentMs }) => (known ? Math.max(0, now() - currentMs) / 1_000 : -1),
  );
  gauge(
    'registry_revision',
    'newest revision of the registry that is in force here',
    ({ revision }) => revision,
  );
  gauge('registry_tokens', 'tokens that are known', ({ tokens }) => tokens);
  gauge('registry_applications', 'applications that are known', (state) => state.applications);
  const malformed: Counter = new Counter({
    name: `${prefix}_${MALFORMED}`,
    help: 'entries of the registry that could not be read; each was skipped',
    registers: [registry],
    collect: () => {
      malformed.reset();
      malformed.inc(applications.state().malformed);
    },
  });
}
