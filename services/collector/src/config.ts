/*
 * The collector's settings, in one table. The bounds are chosen so that the buffers always have capacity for two of the
 * largest bodies.
 */
import { hostname } from 'node:os';
import { choice, type Config, flag, integer, list, type Settings, text } from '@imscope/runtime/config.js';
import { SOURCE_SETTINGS } from '@imscope/access/source-settings.js';
import { KAFKA_SETTINGS } from '@imscope/runtime/kafka-client.js';
import { TERM_SETTINGS } from '@imscope/runtime/term-settings.js';
import { REGION_PATTERN } from '@imscope/schemas/application-state.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { isPeer } from './proxy-protocol/peers.js';

const MIB = 1 << 20;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;
const TIME_ALLOWED = 'a time in UTC such as 2026-05-06T07:08:09Z';

export const COLLECTOR_SETTINGS = {
  collectorHost: text({ default: '127.0.0.1', purpose: 'address that gateways send to' }),
  collectorPort: integer({
    default: 8088,
    min: 0,
    max: 65_535,
    purpose: 'port that gateways send to; 0 uses a free one',
  }),
  proxyProtocolPort: integer({
    default: -1,
    min: -1,
    max: 65_535,
    purpose:
      'port of COLLECTOR_HOST for load balancers that speak the PROXY protocol; -1 is none, 0 uses a free one',
  }),
  proxyProtocolPeers: list({
    default: ['127.0.0.1', '::1'],
    isWord: isPeer,
    allowed: 'addresses and networks such as 10.0.0.7,10.1.0.0/16,2001:db8::/32',
    purpose:
      'who may connect to PROXY_PROTOCOL_PORT: only load balancers, since the client addresses they send are trusted',
  }),
  forwardedHops: integer({
    default: 0,
    min: 0,
    max: 10,
    purpose: 'how many trusted proxies append to X-Forwarded-For; 0 ignores the header',
  }),
  drainMs: integer({
    default: 2_000,
    min: 0,
    max: 10_000,
    purpose: 'how long requests are still accepted after /ready answers that this collector stops',
  }),
  collectorListen: flag({
    default: true,
    purpose: 'whether gateways may send; false where all records are tailed from files',
  }),
  ...SOURCE_SETTINGS,
  region: text({
    default: '',
    pattern: new RegExp(REGION_PATTERN),
    allowed: 'a region in lower-case letters, digits and dashes, such as singapore',
    purpose:
      'region of this collector: applications of others are refused; not set: those of every region are accepted',
  }),
  applicationsKnownOnly: flag({
    default: false,
    purpose: 'true: records of applications that the registry does not know are refused',
  }),
  tlsCertFile: text({
    default: '',
    purpose: 'certificate chain in PEM for gateways; set with TLS_KEY_FILE, or neither',
  }),
  tlsKeyFile: text({
    default: '',
    purpose: 'private key of TLS_CERT_FILE in PEM; both are read again when they change',
  }),
  connectionsMax: integer({
    default: 2_048,
    min: 16,
    max: 65_536,
    purpose:
      'most open connections, of at most 25 kB each; at most half of them without a valid token, and half of one sender',
  }),
  ...TERM_SETTINGS,
  bodyBytesMax: integer({
    default: 8 * MIB,
    min: 1_024,
    max: 16 * MIB,
    purpose: 'largest request body as received, bytes',
  }),
  bodyInflatedBytesMax: integer({
    default: 8 * MIB,
    min: 1_024,
    max: 16 * MIB,
    purpose: 'largest request body after decompression, bytes',
  }),
  bufferBytesMax: integer({
    default: 64 * MIB,
    min: 33 * MIB,
    max: 4_096 * MIB,
    purpose:
      'most bytes of bodies and batches in memory; a sender gets at most two thirds; above it, requests get 503',
  }),
  spoolDir: text({
    purpose: 'directory of the write-ahead log, on a persistent disk; each collector needs its own',
  }),
  spoolBytesMax: integer({
    default: 4_096 * MIB,
    min: 128 * MIB,
    max: 1_048_576 * MIB,
    purpose: 'most bytes of the spool; above it, requests get 503',
  }),
  batchRecordsMax: integer({ default: 2_000, min: 1, max: 20_000, purpose: 'most records in one message' }),
  lingerMsMax: integer({
    default: 50,
    min: 0,
    max: 1_000,
    purpose:
      'longest that a record waits for more records while another message is in flight; not at all when idle',
  }),
  produceInFlightMax: integer({
    default: 8,
    min: 1,
    max: 64,
    purpose: 'produce requests in flight at once, at most one a partition',
  }),
  produceTimeoutMs: integer({
    default: 30_000,
    min: 1_000,
    max: 60_000,
    purpose:
      'longest that a request waits for Kafka or the disk until it is answered 503, or 504 if it may be stored',
  }),
  collectorName: text({
    default: hostname(),
    pattern: /^[\w.:-]{1,128}$/,
    allowed: 'up to 128 letters, digits, "_", ".", ":" or "-"',
    purpose: 'name of this collector in its accounts; the host name unless set',
  }),
  historyFrom: text({
    default: '',
    pattern: TIME,
    allowed: TIME_ALLOWED,
    purpose: 'for a collector that accepts a history only: its accounts cover event times from here …',
  }),
  historyTo: text({
    default: '',
    pattern: TIME,
    allowed: TIME_ALLOWED,
    purpose: '… to here, once it has stopped; set them only if no other collector gets records of this span',
  }),
  accountIntervalMs: integer({
    default: 60_000,
    min: 1_000,
    max: 60_000,
    purpose: 'how often the account is written, also without traffic',
  }),
  metricGraceMs: integer({
    default: 2_000,
    min: 0,
    max: 60_000,
    purpose: 'how long a metric window stays open after its end',
  }),
  metricWindowsMax: integer({
    default: 150_000,
    min: 1_000,
    max: 2_000_000,
    purpose: 'most metric windows open at once, about 1 kB each; above it, the oldest are written early',
  }),
  interfacesMax: integer({
    default: 500,
    min: 1,
    max: 100_000,
    purpose: 'most interfaces of an application within an hour; others are counted under other/overflow',
  }),
  interfacesTotalMax: integer({
    default: 200_000,
    min: 1_000,
    max: 2_000_000,
    purpose: 'most interfaces of all applications together, some 100 bytes each',
  }),
  tailFiles: list({
    default: [],
    purpose: 'files whose lines are read as they are written: paths, or patterns with *',
  }),
  tailFormat: choice({
    default: 'nginx',
    values: ['nginx', 'clb', 'ndjson'],
    purpose: 'what their lines are: an access log of nginx or of a load balancer, or records in JSON',
  }),
  tailLogFormat: text({
    default: '',
    purpose: 'the log_format of these lines as in nginx: its text, or the complete directive',
  }),
  tailLogFormatFile: text({
    default: '',
    purpose: 'nginx configuration that holds the log_format, instead of TAIL_LOG_FORMAT',
  }),
  tailLogFormatName: text({
    default: '',
    purpose: 'its name in TAIL_LOG_FORMAT_FILE, if there are several',
  }),
  tailCodeVariable: text({
    default: '',
    pattern: /^[A-Za-z0-9_]{1,128}$/,
    allowed: 'the name of a variable without its dollar, such as upstream_http_x_im_code',
    purpose: 'variable of the log format that holds the IM code; without it codes are unknown',
  }),
  tailApplication: integer({
    default: 0,
    min: 0,
    max: REQUEST_LOG_BOUNDS.sdkAppIdMax,
    purpose: 'application of all lines; 0 uses the sdkappid of each request',
  }),
  tailNode: text({
    default: '',
    pattern: /^.{1,128}$/,
    allowed: '1 to 128 characters',
    purpose: 'the gateway node in these records; unless set, $hostname where the lines have it',
  }),
  tailRegion: text({
    default: '',
    pattern: /^.{1,128}$/,
    allowed: '1 to 128 characters',
    purpose: 'the region in these records',
  }),
  tailFinishMs: integer({
    default: 10_000,
    min: 100,
    max: 3_600_000,
    purpose: 'how long a renamed or deleted file must be unchanged until it counts as finished',
  }),
  tailProcessorPercentMax: integer({
    default: 0,
    min: 0,
    max: 6_400,
    purpose:
      'lines are not read while this process uses more of the processor, in percent of a core; 0 for no bound',
  }),
  ...KAFKA_SETTINGS,
} satisfies Settings;

export type CollectorConfig = Config<typeof COLLECTOR_SETTINGS>;
