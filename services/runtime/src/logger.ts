/*
 * The pino logger of a service: JSON lines on standard error's sibling, standard output, with the service's
 * name. Secrets are cut out by field name, whatever object they hang on.
 */
import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger };

const SECRET_FIELDS = ['authorization', 'password', 'token', 'cookie', 'secret', 'usersig', 'sasl'];

/** @param destination where lines go; standard output where left out */
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

/** A line that cannot be written is lost; a full disk behind the log must not end the service. */
function standardOutput(): DestinationStream {
  const stream = pino.destination({ dest: 1, sync: true });
  stream.on('error', () => undefined);
  return stream;
}
