/*
 * Parameters that several questions share. Spans are half open: [from, to).
 */
import { type Static, Type } from 'typebox';
import { REQUEST_LOG_BOUNDS } from '../request-log.js';
import { FILTER_PARAMETERS } from './filter-parameters.js';

export const TIME_PATTERN = String.raw`^(now(-\d{1,6}[smhd])?|\d{13}|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))$`;

const AHEAD_MINUTES = REQUEST_LOG_BOUNDS.aheadMsMax / 60_000;

export const WINDOW_PARAMETERS = {
  from: Type.Optional(
    Type.String({
      pattern: TIME_PATTERN,
      description:
        'RFC 3339, now-15m, now-24h, now-7d, or epoch milliseconds of 13 digits; default now-1h. A time before the term counts as the term; one ' +
        `${AHEAD_MINUTES} minutes ahead or more is refused`,
    }),
  ),
  to: Type.Optional(
    Type.String({
      pattern: TIME_PATTERN,
      description:
        `as from, exclusive; default now. Collectors accept events up to ${AHEAD_MINUTES} minutes ahead of their ` +
        'clock, so a later time counts as that; window.to of the answer says what was used',
    }),
  ),
};

export const ANSWER_TIMES = ['rfc3339', 'epoch_ms'] as const;
/** Of every question. The default keeps the types of answers: times are text. */
export const ANSWER_PARAMETERS = {
  times: Type.Optional(
    Type.Enum(ANSWER_TIMES, {
      description:
        'how all times in the answer are written: rfc3339 (default), or epoch_ms, numbers of milliseconds since 1970, UTC',
    }),
  ),
};

export const STEP_PARAMETER = Type.Optional(
  Type.String({
    pattern: '^[1-9][0-9]{0,4}[smhd]$',
    description: 'such as 10s, 1m, 1h; default gives about 60 points',
  }),
);

export const ApplicationPath = Type.Object({
  sdk_app_id: Type.Integer({
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'the SDKAppID of the application',
  }),
});
export type ApplicationPath = Static<typeof ApplicationPath>;

export const WindowQuery = Type.Object(WINDOW_PARAMETERS, { additionalProperties: false });
export type WindowQuery = Static<typeof WindowQuery>;

export const FilteredQuery = Type.Object(
  { ...WINDOW_PARAMETERS, ...FILTER_PARAMETERS },
  { additionalProperties: false },
);
export type FilteredQuery = Static<typeof FilteredQuery>;
