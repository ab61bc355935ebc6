/*
 * What the live tail and the exports take and send. They are streams and no questions: their answers have no envelope.
 */
import { type Static, Type } from 'typebox';
import { DETAIL_FILTER_PARAMETERS, FILTER_PARAMETERS } from './filter-parameters.js';
import { WINDOW_PARAMETERS } from './parameters.js';
import { SEARCH_PARAMETERS } from './request-search-parameters.js';
import { FleetRequestRow } from './requests.js';

const FILTERS = { ...FILTER_PARAMETERS, ...DETAIL_FILTER_PARAMETERS, ...SEARCH_PARAMETERS };

export const EXPORT_FORMATS = ['csv', 'ndjson', 'parquet'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const ExportQuery = Type.Object(
  {
    ...WINDOW_PARAMETERS,
    ...FILTERS,
    format: Type.Optional(Type.Enum(EXPORT_FORMATS, { description: 'default csv' })),
  },
  { additionalProperties: false },
);
export type ExportQuery = Static<typeof ExportQuery>;

/** The number of requests that an export holds, counted right before it is read. */
export const EXPORT_ROWS_HEADER = 'x-imscope-rows';

export const TailQuery = Type.Object(FILTERS, { additionalProperties: false });
export type TailQuery = Static<typeof TailQuery>;

export const TAIL_END_REASONS = ['token', 'time', 'stopping'] as const;
export type TailEndReason = (typeof TAIL_END_REASONS)[number];

/** Data of the server-sent events of a tail, by the name of the event. */
export const TAIL_EVENTS = {
  open: Type.Object({ name: Type.String({ description: 'of the token' }) }),
  request: Type.Omit(FleetRequestRow, ['name', 'links']),
  /** Requests that match and are not shown: over the rate, or because earlier events are not read yet. */
  dropped: Type.Object({ rate: Type.Integer({ minimum: 0 }), reader: Type.Integer({ minimum: 0 }) }),
  /** The store did not answer: what arrived since the last requests is not shown. */
  gap: Type.Object({ message: Type.String() }),
  end: Type.Object({ reason: Type.Enum(TAIL_END_REASONS) }),
};
export type TailEvents = { readonly [K in keyof typeof TAIL_EVENTS]: Static<(typeof TAIL_EVENTS)[K]> };
