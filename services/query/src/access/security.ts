/*
 * The authentication methods of routes, as the OpenAPI document names them.
 */
export const SECURITY = {
  /** Either a bearer token or a session. */
  reader: [{ bearer: [] }, { session: [] }],
  /** The same, of a token that may read single requests: OpenAPI 3.1 lists it as a role. */
  requestReader: [{ bearer: ['requests'] }, { session: ['requests'] }],
  bearer: [{ bearer: [] }],
  session: [{ session: [] }],
  none: [],
};
