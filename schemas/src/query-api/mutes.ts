/*
 * Mutes of groups of failures: who muted what, why and until when. Set and ended by routes of the query service that are
 * no questions, because they change something.
 */
import { type Static, Type } from 'typebox';
import { Mute } from './exceptions.js';
import { Time } from './values.js';

export const MUTE_DAYS_MAX = 90;
const REASON_LENGTH_MAX = 200;

/** The longest is what is allowed; a mute without an end does not exist. */
export const NewMute = Type.Object(
  {
    for: Type.String({
      pattern: '^[1-9][0-9]{0,3}[hd]$',
      description: `how long, such as 8h or 14d; ${MUTE_DAYS_MAX} days at most`,
    }),
    reason: Type.String({
      minLength: 1,
      maxLength: REASON_LENGTH_MAX,
      pattern: '^[^\\u0000-\\u001f\\u007f]*$',
      description: 'why, for those who come next; without personal data',
    }),
  },
  { additionalProperties: false },
);
export type NewMute = Static<typeof NewMute>;

/** null: for all applications. */
const Owner = Type.Union([Type.Integer(), Type.Null()]);

export const ListedMute = Type.Object({ group: Type.String(), sdk_app_id: Owner, ...Mute.properties });
export type ListedMute = Static<typeof ListedMute>;

export const StateChange = Type.Object({
  at: Time,
  actor: Type.String(),
  action: Type.String({ description: 'such as exception.mute or exception.unmute' }),
  sdk_app_id: Owner,
  /** The id of the group. */
  subject: Type.String(),
  reason: Type.String(),
});
export type StateChange = Static<typeof StateChange>;

export const Mutes = Type.Object({
  /** In force, soonest to end first; 1,000 at most. */
  mutes: Type.Array(ListedMute),
  /** Newest first; 200 at most, of the last year. */
  changes: Type.Array(StateChange),
});
export type Mutes = Static<typeof Mutes>;
