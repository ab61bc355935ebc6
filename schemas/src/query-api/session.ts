/*
 * Signing in to the dashboard. A caller with a read token asks for a one-use code; the browser exchanges it,
 * or a read token itself, for a session cookie (HttpOnly, SameSite=Strict) of the same applications.
 */
import { type Static, Type } from 'typebox';

/** `POST /v1/sign-in-codes`, with a bearer token; the code works once and for ten minutes. */
export const SignInCode = Type.Object({ code: Type.String(), expires_at: Type.String() });
export type SignInCode = Static<typeof SignInCode>;

/** `POST /v1/session`: give `code` or `token`. `DELETE /v1/session` signs out. `GET /v1/session` returns who is signed in. */
export const SignIn = Type.Union([
  Type.Object({ code: Type.String({ minLength: 16, maxLength: 256 }) }, { additionalProperties: false }),
  Type.Object({ token: Type.String({ minLength: 16, maxLength: 256 }) }, { additionalProperties: false }),
]);
export type SignIn = Static<typeof SignIn>;

export const Session = Type.Object({
  name: Type.String(),
  applications: Type.Union([Type.Literal('all'), Type.Array(Type.Integer())]),
  scope: Type.Enum(['read', 'requests', 'admin'], {
    description: 'requests may read single requests too, admin may also use the registry',
  }),
  expires_at: Type.String(),
});
export type Session = Static<typeof Session>;

/** Where the dashboard reads the code: `http://…/#sign-in=<code>`; a fragment never reaches a server's log. */
export const SIGN_IN_FRAGMENT = 'sign-in';
