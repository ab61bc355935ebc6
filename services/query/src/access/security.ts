/*
 * The authentication methods of routes, as the OpenAPI document names them.
 */
export const SECURITY = {
  /** Either a bearer token or a session. */
  reader: [{ bearer: [] }, { session: [] }],
  bearer: [{ bearer: [] }],
  session: [{ session: [] }],
  none: [],
};
