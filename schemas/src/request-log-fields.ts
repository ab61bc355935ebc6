/*
 * The fields of a request log, each stated once: type, bounds, whether a gateway has to send it, what is done about
 * personal data in it, and whether answers can be filtered by it. Types, column lists, query parameters and API
 * documents derive from this table; tests compare the codecs, which are written by hand for speed, with it.
 */

/**
 * What a field holds.
 * - `time`: epoch milliseconds; Avro timestamp-millis
 * - `id`: an integer of up to 52 bits; Avro long
 * - `duration`: stored in microseconds, sent in milliseconds; Avro long
 * - `int`: an integer of 32 bits; Avro int
 * - `text`: Avro string, bounded in UTF-16 units
 * - `address`: 16 bytes in network order, IPv4 mapped into ::ffff:0:0/96; Avro fixed
 * - `outcome`: one of `OUTCOMES`; Avro enum
 */
export type FieldType = 'time' | 'id' | 'duration' | 'int' | 'text' | 'address' | 'outcome';

/**
 * What is done about personal data in a field.
 * - `none`: it cannot hold any
 * - `masked`: the address of the caller is stored, and masked in every answer
 * - `ids_removed`: ids in a path become {id} before it is stored
 * - `text_scrubbed`: free text, scrubbed before it is stored
 * - `label_scrubbed`: a name or an id, scrubbed by the patterns that need no sentence around the value
 */
export type PersonalTreatment = 'none' | 'masked' | 'ids_removed' | 'text_scrubbed' | 'label_scrubbed';

/** A query parameter of the field's name that keeps the requests with any of the values given. */
export type FieldFilter = {
  /** Accepted by `every` question about the requests of one application, or only by those that show steps or single requests. */
  readonly questions: 'every' | 'detail';
  /** Interface metrics have the field too, so a question can be answered from them. */
  readonly inMetrics: boolean;
  /** The empty text is a value, for requests without one. */
  readonly emptyAllowed: boolean;
  /** In the API document of the query service. */
  readonly description: string;
};

export type RequestLogField = {
  readonly type: FieldType;
  /** Stored as null where the source does not know it. Other types have a value for that: '' and 0. */
  readonly nullable: boolean;
  /** The field's name in JSON as gateways send it; null where the collector sets the field itself. */
  readonly sentAs: string | null;
  /** A record without it is refused. */
  readonly required: boolean;
  /** Inclusive; durations in microseconds. */
  readonly min?: number;
  readonly max?: number;
  /** Of texts, in UTF-16 units. */
  readonly lengthMax?: number;
  readonly personal: PersonalTreatment;
  readonly filter: FieldFilter | null;
  /** What the field says, in the API document of the collector. */
  readonly purpose: string;
};

/** One day: longer is a broken clock, not a slow request. */
const DURATION_US_MAX = 86_400_000_000;
const INT_MIN = -2_147_483_648;
const INT_MAX = 2_147_483_647;
const LABEL_LENGTH_MAX = 128;

/** By stored name, which is the Avro field's and the column's, in the order of the newest Avro schema. */
export const REQUEST_LOG_FIELDS = {
  time: {
    type: 'time',
    nullable: false,
    sentAs: 'time',
    required: true,
    personal: 'none',
    filter: null,
    purpose: 'when the request was made, RFC 3339 or epoch milliseconds',
  },
  sdk_app_id: {
    type: 'id',
    nullable: false,
    sentAs: 'sdk_app_id',
    required: true,
    min: 1,
    // Ids are 32 bits wide today; 52 bits is what every part on the way keeps exact.
    max: 2 ** 52 - 1,
    personal: 'none',
    filter: null,
    purpose: 'the application',
  },
  interface: {
    type: 'text',
    nullable: false,
    sentAs: 'interface',
    required: true,
    lengthMax: 128,
    personal: 'ids_removed',
    filter: {
      questions: 'every',
      inMetrics: true,
      emptyAllowed: false,
      description: 'interfaces, such as openim/sendmsg; give it more than once for any of several',
    },
    purpose: 'such as openim/sendmsg; a leading /v4/ or / is removed, ids in it become {id}',
  },
  exit_ip: {
    type: 'address',
    nullable: false,
    sentAs: 'exit_ip',
    required: true,
    personal: 'masked',
    filter: null,
    purpose: 'public address of the caller, without a zone',
  },
  latency_us: {
    type: 'duration',
    nullable: false,
    sentAs: 'latency_ms',
    required: true,
    min: 0,
    max: DURATION_US_MAX,
    personal: 'none',
    filter: null,
    purpose: 'how long the request took',
  },
  upstream_us: {
    type: 'duration',
    nullable: true,
    sentAs: 'upstream_ms',
    required: false,
    min: 0,
    max: DURATION_US_MAX,
    personal: 'none',
    filter: null,
    purpose: 'the time spent in upstreams of the gateway',
  },
  rtt_us: {
    type: 'duration',
    nullable: true,
    sentAs: 'rtt_ms',
    required: false,
    min: 0,
    max: DURATION_US_MAX,
    personal: 'none',
    filter: null,
    purpose: 'network round trip to the caller',
  },
  code: {
    type: 'int',
    nullable: true,
    sentAs: 'code',
    required: false,
    min: INT_MIN,
    max: INT_MAX,
    personal: 'none',
    filter: {
      questions: 'every',
      inMetrics: false,
      emptyAllowed: false,
      description: 'codes; none: no code',
    },
    purpose: 'the IM result code; without it the outcome is never success',
  },
  http_status: {
    type: 'int',
    nullable: false,
    sentAs: 'http_status',
    required: false,
    // Or 0: unknown.
    min: 100,
    max: 599,
    personal: 'none',
    filter: null,
    purpose: '0: unknown',
  },
  outcome: {
    type: 'outcome',
    nullable: false,
    sentAs: null,
    required: false,
    personal: 'none',
    filter: { questions: 'every', inMetrics: false, emptyAllowed: false, description: 'outcomes' },
    purpose: 'the class of the code and the status, by the catalogue of codes',
  },
  exception: {
    type: 'text',
    nullable: false,
    sentAs: 'exception',
    required: false,
    lengthMax: 256,
    personal: 'text_scrubbed',
    filter: {
      questions: 'detail',
      inMetrics: false,
      emptyAllowed: true,
      description: 'exception names; empty: requests without an exception',
    },
    purpose: 'kind of the failure, scrubbed',
  },
  cause: {
    type: 'text',
    nullable: false,
    sentAs: 'cause',
    required: false,
    lengthMax: 2_048,
    personal: 'text_scrubbed',
    filter: null,
    purpose: 'why it failed, scrubbed',
  },
  node: {
    type: 'text',
    nullable: false,
    sentAs: 'node',
    required: false,
    lengthMax: LABEL_LENGTH_MAX,
    personal: 'label_scrubbed',
    filter: {
      questions: 'every',
      inMetrics: false,
      emptyAllowed: true,
      description: 'gateway nodes; empty: not named by the source',
    },
    purpose: 'gateway node',
  },
  region: {
    type: 'text',
    nullable: false,
    sentAs: 'region',
    required: false,
    lengthMax: LABEL_LENGTH_MAX,
    personal: 'label_scrubbed',
    filter: {
      questions: 'every',
      inMetrics: true,
      emptyAllowed: true,
      description: 'regions; empty: not named by the source',
    },
    purpose: 'region of the gateway',
  },
  platform: {
    type: 'text',
    nullable: false,
    sentAs: 'platform',
    required: false,
    lengthMax: LABEL_LENGTH_MAX,
    personal: 'label_scrubbed',
    filter: {
      questions: 'every',
      inMetrics: false,
      emptyAllowed: true,
      description: 'client platforms; empty: not named by the source',
    },
    purpose: 'platform of the caller',
  },
  sdk_version: {
    type: 'text',
    nullable: false,
    sentAs: 'sdk_version',
    required: false,
    lengthMax: LABEL_LENGTH_MAX,
    personal: 'label_scrubbed',
    filter: {
      questions: 'every',
      inMetrics: false,
      emptyAllowed: true,
      description: 'client SDK versions; empty: not named by the source',
    },
    purpose: 'SDK version of the caller',
  },
  request_id: {
    type: 'text',
    nullable: false,
    sentAs: 'request_id',
    required: false,
    lengthMax: 128,
    personal: 'label_scrubbed',
    filter: null,
    purpose: 'id of the request',
  },
  weight: {
    type: 'int',
    nullable: false,
    sentAs: null,
    required: false,
    min: 1,
    max: INT_MAX,
    personal: 'none',
    filter: null,
    purpose: 'how many requests the record represents: 1, more where successes are sampled',
  },
} as const satisfies Readonly<Record<string, RequestLogField>>;

export type StoredFieldName = keyof typeof REQUEST_LOG_FIELDS;

/** Every field with its stored name, in the order of the Avro schema. */
export const STORED_FIELDS: readonly (RequestLogField & { readonly name: StoredFieldName })[] =
  Object.entries(REQUEST_LOG_FIELDS).map(([name, field]) => ({ name: name as StoredFieldName, ...field }));
