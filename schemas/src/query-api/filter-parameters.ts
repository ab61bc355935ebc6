/*
 * Query parameters that filter requests by a field, as the table of fields says. Several values of one parameter keep
 * the requests with any of them; several parameters keep those that match all.
 */
import { type Static, type TArray, type TOptional, type TString, Type } from 'typebox';
import { OUTCOMES } from '../outcome.js';
import {
  type FieldFilter,
  type REQUEST_LOG_FIELDS,
  type RequestLogField,
  STORED_FIELDS,
  type StoredFieldName,
} from '../request-log-fields.js';

const VALUES_MAX = 20;

const CODE = Type.String({ pattern: '^(none|0|-?[1-9][0-9]{0,9})$', description: 'a whole number, or none' });

const outcomes = (description: string) =>
  Type.Optional(Type.Array(Type.Enum(OUTCOMES), { maxItems: OUTCOMES.length, description }));

function texts(of: TString, description: string): TOptional<TArray<TString>> {
  return Type.Optional(Type.Array(of, { maxItems: VALUES_MAX, description }));
}

function filterParameter(
  { type, lengthMax = 0 }: RequestLogField,
  { emptyAllowed, description }: FieldFilter,
) {
  if (type === 'outcome') return outcomes(description);
  if (type === 'int') return texts(CODE, description);
  const minLength = emptyAllowed ? {} : { minLength: 1 };
  return texts(Type.String({ ...minLength, maxLength: lengthMax }), description);
}

type Table = typeof REQUEST_LOG_FIELDS;
type FilteredBy<F extends Partial<FieldFilter>> = {
  [K in StoredFieldName]: Table[K]['filter'] extends F ? K : never;
}[StoredFieldName];
type Parameters<K extends StoredFieldName> = {
  readonly [N in K]: Table[N]['type'] extends 'outcome'
    ? ReturnType<typeof outcomes>
    : TOptional<TArray<TString>>;
};

/** The parameters of the fields whose filter is accepted, in the order of the table. */
function filterParameters<K extends StoredFieldName>(
  accepts: (filter: FieldFilter) => boolean,
): Parameters<K> {
  const parameters = STORED_FIELDS.flatMap((field) =>
    field.filter !== null && accepts(field.filter)
      ? [[field.name, filterParameter(field, field.filter)] as const]
      : [],
  );
  return Object.fromEntries(parameters) as Parameters<K>;
}

/** The longest name in the address data of 2026 has 167 characters. */
const ISP_LENGTH_MAX = 256;

/** Of every question about requests. `isp` follows from the exit address, and is not stored. */
export const FILTER_PARAMETERS = {
  ...filterParameters<FilteredBy<{ questions: 'every' }>>(({ questions }) => questions === 'every'),
  isp: texts(
    Type.String({ maxLength: ISP_LENGTH_MAX }),
    'providers of exit addresses, as the address data name them; empty: not known',
  ),
};
/** Beside these, of the questions that show steps or single requests. */
export const DETAIL_FILTER_PARAMETERS = filterParameters<FilteredBy<{ questions: 'detail' }>>(
  ({ questions }) => questions === 'detail',
);
/** Of questions that are answered from the metrics alone. */
export const METRIC_FILTER_PARAMETERS = filterParameters<FilteredBy<{ inMetrics: true }>>(
  ({ inMetrics }) => inMetrics,
);

const AllFilters = Type.Object({ ...FILTER_PARAMETERS, ...DETAIL_FILTER_PARAMETERS });
/** The filters that any question may be given; an empty list filters nothing. */
export type RequestFilters = Static<typeof AllFilters>;
