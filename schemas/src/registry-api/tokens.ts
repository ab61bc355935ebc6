/* Tokens as administrators see them: never the token itself after its creation. */
import { type Static, Type } from 'typebox';
import { TOKEN_SCOPES } from '../registry-entry.js';
import { SdkAppId } from './identity.js';
import { plainText } from '../plain-text.js';

const Applications = Type.Union([
  Type.Literal('all'),
  Type.Array(SdkAppId, { minItems: 1, maxItems: 10_000, uniqueItems: true }),
]);
const TimeOrNull = Type.Union([Type.String({ description: 'RFC 3339, UTC' }), Type.Null()]);

export const TokenRequest = Type.Object(
  {
    name: plainText(1, 64),
    scope: Type.Enum([...TOKEN_SCOPES]),
    applications: Applications,
    expires_at: Type.Optional(Type.String({ description: 'RFC 3339' })),
    records_per_second_max: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })),
    reason: plainText(1, 200),
  },
  { additionalProperties: false },
);
export type TokenRequest = Static<typeof TokenRequest>;

export const Token = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  scope: Type.Enum([...TOKEN_SCOPES]),
  applications: Applications,
  created_at: Type.String(),
  expires_at: TimeOrNull,
  records_per_second_max: Type.Union([Type.Integer(), Type.Null()]),
});
export type Token = Static<typeof Token>;

export const CreatedToken = Type.Object({
  ...Token.properties,
  token: Type.String({ description: 'the bearer token; it is not shown again' }),
});
export type CreatedToken = Static<typeof CreatedToken>;
