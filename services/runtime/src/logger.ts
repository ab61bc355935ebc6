/*
 * The pino logger of a service: JSON lines with the service's name, on standard output. Secrets are removed by field
 * name, up to three levels deep.
 */
import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger };

const SECRET_FIELDS = ['authorization', 'password', 'token', 'cookie', 'secret', 'usersig', 'sasl'];

/** @param destination target of the lines; by default standard output */
export function createLogger(name: string, level: string, destination?: DestinationStream): Logger {
  const options = {
    name,
    level,
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`, `*.*.*.${field}`]),
      censor: '[hidden]',
    },
    base: { service: name },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return pino(options, destination ?? standardOutput());
}

/** A line that cannot be written is lost: a full disk of the log must not end the service. */
function standardOutput(): DestinationStream {
  const stream = pino.destination({ dest: 1, sync: true });
  stream.on('error', () => undefined);
  return stream;
}
