/*
 * Maps the name of an OTLP attribute to a field of a record, or tells why it has none. Names are OpenTelemetry's semantic
 * conventions where one exists, and `im.` with the field's own name for every field. docs/opentelemetry.md documents this
 * table for senders.
 */
import { type Field, FIELD_ROWS, FIELDS } from '@imscope/schemas/raw-fields.js';
import type { FieldType } from '@imscope/schemas/request-log-fields.js';
import { isPersonalField } from '../../intake/personal-fields.js';

/** How the value of an attribute is converted. A `path` may have a scheme, host and query too. */
type Form = 'text' | 'number' | 'seconds' | 'route' | 'path' | 'message';

/** The field of an attribute. Of two valid values of one field, the one with the higher rank is used. */
export type AttributeTarget = { readonly fieldIndex: number; readonly rank: number; readonly form: Form };

/** Why an attribute has no field. `personal` and `ignored` are dropped and counted; `unknown` refuses the record. */
export type UnmappedKind = 'personal' | 'ignored' | 'unknown';

const NUMBER_TYPES: ReadonlySet<FieldType> = new Set(['id', 'duration', 'int']);

/** In order of precedence for each field. Some names are those of earlier versions of the conventions. */
const CONVENTIONS: readonly (readonly [field: Field, form: Form, ...names: string[]])[] = [
  ['interface', 'route', 'http.route'],
  ['interface', 'path', 'url.path', 'http.target', 'url.full', 'http.url'],
  ['exit_ip', 'text', 'client.address', 'source.address', 'http.client_ip'],
  ['latency_ms', 'seconds', 'http.server.request.duration'],
  ['latency_ms', 'number', 'http.server.duration'],
  ['http_status', 'number', 'http.response.status_code', 'http.status_code'],
  ['exception', 'text', 'exception.type', 'error.type'],
  ['cause', 'message', 'exception.message', 'error.message'],
  ['node', 'text', 'host.name', 'service.instance.id', 'k8s.pod.name', 'k8s.node.name'],
  ['region', 'text', 'cloud.region'],
];

const OWN_PREFIX = 'im.';
/** Ranks within one level; attributes of a record rank above those of its resource by `RECORD_RANK`. */
const OWN_RANK = 9;
/** Of a route that has no interface name in it: below every path. */
export const VAGUE_RANK = 1;
export const RECORD_RANK = 16;

const TARGETS: ReadonlyMap<string, AttributeTarget> = createTargets();

function createTargets(): Map<string, AttributeTarget> {
  const targets = new Map<string, AttributeTarget>();
  FIELDS.forEach((field, fieldIndex) => {
    const type = FIELD_ROWS[fieldIndex]?.type;
    const form = type !== undefined && NUMBER_TYPES.has(type) ? 'number' : 'text';
    targets.set(OWN_PREFIX + field, { fieldIndex, rank: OWN_RANK, form });
    const names = CONVENTIONS.flatMap(([mappedField, conventionForm, ...conventionNames]) =>
      mappedField === field ? conventionNames.map((name) => ({ name, form: conventionForm })) : [],
    );
    names.forEach(({ name, form: conventionForm }, index) =>
      targets.set(name, { fieldIndex, rank: OWN_RANK - 1 - index, form: conventionForm }),
    );
  });
  return targets;
}

/** Names outside the table are classified once: the SDKs of a fleet send the same few. Cleared when full; at most 300 kB. */
const UNMAPPED_MAX = 1_000;
const UNMAPPED_LENGTH_MAX = 128;
let known: Map<string, AttributeTarget | UnmappedKind> = new Map(TARGETS);

export function targetOf(name: string): AttributeTarget | UnmappedKind {
  const found = known.get(name);
  if (found !== undefined) return found;
  const kind = classifyUnmapped(name);
  if (name.length <= UNMAPPED_LENGTH_MAX) {
    if (known.size >= TARGETS.size + UNMAPPED_MAX) known = new Map(TARGETS);
    known.set(name, kind);
  }
  return kind;
}

/**
 * SDKs and instrumentations add attributes that the sender did not choose, so those refuse no record. Names under `im.`
 * exist only for this service: an unknown one is misspelt and must be reported.
 */
function classifyUnmapped(name: string): UnmappedKind {
  if (isPersonalAttribute(name)) return 'personal';
  return name.startsWith(OWN_PREFIX) ? 'unknown' : 'ignored';
}

const PERSONAL_NAMESPACES = ['user.', 'enduser.', 'user_agent.'];

/** `user.email`, `http.request.header.authorization`, `im.usersig`: by the complete name and by its last part. */
function isPersonalAttribute(name: string): boolean {
  if (PERSONAL_NAMESPACES.some((namespace) => name.startsWith(namespace))) return true;
  if (name.length > UNMAPPED_LENGTH_MAX) return false;
  return isPersonalField(name.slice(name.lastIndexOf('.') + 1)) || isPersonalField(name.replaceAll('.', ''));
}
