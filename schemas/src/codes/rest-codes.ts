/*
 * Result codes of general errors of the REST entry, 60000 to 69999.
 */
import type { CodeEntry } from './code-entry.js';

export const REST_CODES: readonly CodeEntry[] = [
  {
    code: 60002,
    name: 'http_unparsable',
    outcome: 'caller_error',
    meaning: 'The gateway could not parse the HTTP request line or its URL.',
    advice: "Compare the URL with the interface's documented form, path and query parameters included.",
  },
  {
    code: 60003,
    name: 'json_unparsable',
    outcome: 'caller_error',
    meaning: 'The request body is not valid JSON.',
    advice: 'Validate the body the caller sends, and check its encoding and content length.',
  },
  {
    code: 60004,
    name: 'identifier_or_usersig_wrong',
    outcome: 'caller_error',
    meaning: 'The administrator account or the signature in the URL or the body is wrong.',
    advice: 'Check that identifier and usersig belong together and are URL-encoded once.',
  },
  {
    code: 60005,
    name: 'identifier_or_usersig_rejected',
    outcome: 'caller_error',
    meaning: 'The account or signature was rejected by a second check.',
    advice: 'Sign again for the same administrator account and compare both values.',
  },
  {
    code: 60006,
    name: 'sdkappid_invalid',
    outcome: 'caller_error',
    meaning: 'The SDKAppID does not name a valid application.',
    advice: 'Compare the SDKAppID in the URL with the one in the console.',
  },
  {
    code: 60007,
    name: 'interface_rate_exceeded',
    outcome: 'caller_error',
    meaning: 'Calls to this interface exceed its published limit per second.',
    advice: 'Spread or batch the calls, or have the limit of this interface raised.',
  },
  // The public text also allows a malformed request; a time-out is a service error until shown otherwise.
  {
    code: 60008,
    name: 'request_timed_out',
    outcome: 'service_error',
    meaning: 'The request timed out at an upstream of the gateway.',
    advice:
      'Look at upstream delay of this interface first; if single callers are hit, check that their request is complete.',
  },
  {
    code: 60009,
    name: 'resource_unknown',
    outcome: 'caller_error',
    meaning: 'The URL asks for a service or command that does not exist.',
    advice: 'Check service and command in the path; a typing error or a retired interface is usual.',
  },
  {
    code: 60010,
    name: 'administrator_required',
    outcome: 'caller_error',
    meaning: 'Only an administrator account of the application may make this call.',
    advice: 'Put an administrator account into identifier and sign for it.',
  },
  {
    code: 60011,
    name: 'application_rate_exceeded',
    outcome: 'caller_error',
    meaning: 'All requests of the application together exceed its rate.',
    advice: 'Find the interface that grew in the interface table and slow its caller down.',
  },
  {
    code: 60012,
    name: 'sdkappid_missing',
    outcome: 'caller_error',
    meaning: 'The URL carries no SDKAppID.',
    advice: 'Add sdkappid to the query string.',
  },
  {
    code: 60013,
    name: 'answer_unparsable',
    outcome: 'service_error',
    meaning: 'The upstream of the gateway answered with something that is not JSON.',
    advice: 'Look for a failing or freshly deployed backend of this interface.',
  },
  {
    code: 60014,
    name: 'account_exchange_timed_out',
    outcome: 'service_error',
    meaning: 'The search for the internal account of the identifier took too long.',
    advice: 'Check the delay of the account service and its store.',
  },
  {
    code: 60015,
    name: 'identifier_not_a_string',
    outcome: 'caller_error',
    meaning: 'The account identifier in the body is not a string.',
    advice: 'Send account identifiers as JSON strings, numbers included.',
  },
  {
    code: 60016,
    name: 'sdkappid_disabled',
    outcome: 'caller_error',
    meaning: 'The application has been disabled.',
    advice: "Ask the application's owner about its status and its package before anything else.",
  },
  {
    code: 60017,
    name: 'request_disabled',
    outcome: 'caller_error',
    meaning: 'This kind of request has been disabled for the application.',
    advice: 'Check the features switched on for the application, then ask the provider.',
  },
  {
    code: 60018,
    name: 'too_frequent',
    outcome: 'caller_error',
    meaning: 'Requests arrive too frequently and are refused for the moment.',
    advice: 'Back off with jitter and retry later; look for a retry loop at the caller.',
  },
  {
    code: 60019,
    name: 'too_frequent_again',
    outcome: 'caller_error',
    meaning: 'Requests arrive too frequently, refused by a second limiter.',
    advice: 'Back off with jitter and retry later; look for a retry loop at the caller.',
  },
  {
    code: 60020,
    name: 'package_missing_or_expired',
    outcome: 'caller_error',
    meaning: "The application's package was not bought, has expired or is not in force yet.",
    advice: 'Renew or upgrade the package; a fresh purchase needs about five minutes.',
  },
  {
    code: 60021,
    name: 'source_ip_refused',
    outcome: 'caller_error',
    meaning: "The call comes from an address outside the application's allow list.",
    advice: "Add the caller's exit address to the allow list, or find out who is calling.",
  },
];
