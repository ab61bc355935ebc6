/*
 * How a caller of a route shows who it is, as the description of the API says it.
 */
export const SESSION_COOKIE = 'imscope_session';

export const SECURITY = {
  /** Either a bearer token or a session. */
  reader: [{ bearer: [] }, { session: [] }],
  bearer: [{ bearer: [] }],
  session: [{ session: [] }],
  none: [],
};
