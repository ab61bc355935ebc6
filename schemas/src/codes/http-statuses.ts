/*
 * What an HTTP status says where no IM code is known. A status of 200 says nothing: IM gateways answer 200 to
 * failures too, so it is `unknown`, and a source without codes never has a success rate of 100 %.
 * Statuses of a request that ran out of time (408, 499, 504) count against the service: a slow service must
 * not look healthy because its callers gave up.
 */
import type { Outcome } from '../outcome.js';

export type HttpStatusDescription = {
  readonly status: number;
  /** snake_case. */
  readonly name: string;
  readonly meaning: string;
  readonly advice: string;
  readonly outcome: Outcome;
};

type StatusText = readonly [name: string, meaning: string, advice: string];

const TEXTS: ReadonlyMap<number, StatusText> = new Map<number, StatusText>([
  [0, ['no_status', 'The source logged no HTTP status.', 'Add the status to the log format of the source.']],
  [
    200,
    [
      'ok_without_code',
      'The gateway answered, but the log does not contain the IM code: it may have been a failure.',
      'Have the gateway log the IM code, so that success can be distinguished from failure.',
    ],
  ],
  [
    400,
    ['bad_request', 'The gateway could not read the request.', 'Check URL, headers and body of the caller.'],
  ],
  [
    401,
    ['unauthorized', 'The request carries no valid credentials.', 'Check how the caller signs its requests.'],
  ],
  [
    403,
    [
      'forbidden',
      'The gateway refused the caller.',
      'Check allow lists and firewall rules against the exit IP.',
    ],
  ],
  [404, ['not_found', 'The path does not exist.', 'Check version, service and command in the path.']],
  [405, ['method_not_allowed', 'The HTTP method is not allowed here.', 'IM interfaces are called by POST.']],
  [
    408,
    [
      'request_timeout',
      'The request did not arrive in full in time.',
      'Compare by region and exit network; a single slow caller has its own network to check.',
    ],
  ],
  [411, ['length_required', 'The request names no content length.', 'Send a content length with the body.']],
  [
    413,
    [
      'body_too_large',
      'The body exceeds what the gateway accepts.',
      'Split the batch or shorten the message.',
    ],
  ],
  [414, ['url_too_long', 'The URL exceeds what the gateway accepts.', 'Move parameters into the body.']],
  [
    415,
    ['media_type_unsupported', 'The content type is not accepted.', 'Send JSON, and say so in contenttype.'],
  ],
  [
    429,
    ['too_many_requests', 'The caller exceeds its limit.', 'Back off with jitter, or have the limit raised.'],
  ],
  [
    431,
    ['headers_too_large', 'The headers exceed what the gateway accepts.', 'Drop cookies and long headers.'],
  ],
  [
    499,
    [
      'client_closed',
      'The caller hung up before the answer was ready.',
      'Compare the delay of this interface with the time-out of its callers.',
    ],
  ],
  [
    500,
    [
      'server_error',
      'The server failed internally.',
      "Look for errors of this interface's backend on the node named.",
    ],
  ],
  [
    501,
    ['not_implemented', 'The server does not know the method.', 'Check the deployed version of the backend.'],
  ],
  [
    502,
    [
      'bad_gateway',
      'The gateway got no valid answer from its upstream.',
      'Look for crashed or restarting backends.',
    ],
  ],
  [
    503,
    ['unavailable', 'No upstream accepts requests.', 'Check health checks, load and running deployments.'],
  ],
  [
    504,
    [
      'gateway_timeout',
      'The upstream did not answer in time.',
      'Look at upstream delay of this interface and its store.',
    ],
  ],
]);

/**
 * Classifies a request by its HTTP status alone. Statuses outside 400 to 599 are `unknown`: below, the gateway
 * delivered an answer of unknown content; outside, the source logged no status. Allocates nothing.
 */
export function classifyHttpStatus(status: number): Outcome {
  if (status >= 500 && status <= 599) return 'service_error';
  if (status === 499 || status === 408) return 'service_error';
  if (status >= 400 && status <= 499) return 'caller_error';
  return 'unknown';
}

/** Texts for a status; a status without its own text gets the text of its class. Never throws. */
export function describeHttpStatus(status: number): HttpStatusDescription {
  const [name, meaning, advice] = TEXTS.get(status) ?? textOfClass(status);
  return { status, name, meaning, advice, outcome: classifyHttpStatus(status) };
}

function textOfClass(status: number): StatusText {
  if (status >= 200 && status <= 299) {
    return [
      'accepted_without_code',
      'The gateway answered without an IM code.',
      'Have the gateway log the IM code.',
    ];
  }
  if (status >= 300 && status <= 399) {
    return ['redirected', 'The gateway sent the caller elsewhere.', 'Have the caller use the final address.'];
  }
  if (status >= 400 && status <= 499) {
    return [
      'refused',
      'The gateway refused the request.',
      'Check the request of the caller against the interface.',
    ];
  }
  if (status >= 500 && status <= 599) {
    return [
      'failed',
      'The gateway or its upstream failed.',
      'Look for errors on the gateway node and of its upstreams.',
    ];
  }
  return [
    'status_unusable',
    'The status says nothing of the outcome.',
    'Check the log format of the source.',
  ];
}
