/*
 * Records that collectors refused, by application and reason, as the collectors' accounts count them.
 */
import { type Static, Type } from 'typebox';

const Count = Type.Integer({ minimum: 0 });

export const RefusalReason = Type.Object({
  /** One of the collector's reasons, such as `unknown_field`. */
  reason: Type.String(),
  records: Count,
  meaning: Type.String(),
  advice: Type.String(),
});
export type RefusalReason = Static<typeof RefusalReason>;

export const Refusals = Type.Object({
  /** Records refused in the window, for any reason. */
  records: Count,
  /** Most frequent first. */
  reasons: Type.Array(RefusalReason),
});
export type Refusals = Static<typeof Refusals>;

export const FleetRefusals = Type.Object({
  /** All of them, listed below or not. */
  records: Count,
  /** Most refused first; applications without refusals are not listed. */
  applications: Type.Array(
    Type.Object({
      /** null: records that name no application their sender speaks for. */
      sdk_app_id: Type.Union([Type.Integer(), Type.Null()]),
      ...Refusals.properties,
    }),
  ),
  /** Pairs of application and reason that are not listed, because there are too many: those with fewest records. */
  left_out: Count,
});
export type FleetRefusals = Static<typeof FleetRefusals>;
