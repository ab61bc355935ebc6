/*
 * Result codes of profiles, 40000 to 49999.
 */
import type { CodeEntry } from './code-entry.js';

export const PROFILE_CODES: readonly CodeEntry[] = [
  {
    code: 40001,
    name: 'profile_parameter_invalid',
    outcome: 'caller_error',
    meaning: 'A parameter of the profile request is not allowed.',
    advice: 'Read the error text of the answer: it names the field.',
  },
  {
    code: 40002,
    name: 'profile_account_missing',
    outcome: 'caller_error',
    meaning: 'The request names no account to read.',
    advice: 'Name at least one account.',
  },
  {
    code: 40003,
    name: 'profile_account_not_found',
    outcome: 'caller_error',
    meaning: 'A named account does not exist.',
    advice: 'Import the account first, or correct its ID.',
  },
  {
    code: 40004,
    name: 'profile_administrator_required',
    outcome: 'caller_error',
    meaning: 'Only an administrator may make this profile call.',
    advice: 'Call with an administrator account.',
  },
  {
    code: 40005,
    name: 'profile_sensitive_text',
    outcome: 'caller_error',
    meaning: 'A profile field contains words that are filtered.',
    advice: 'Have the user change the text.',
  },
  {
    code: 40006,
    name: 'profile_internal_error',
    outcome: 'service_error',
    meaning: 'The profile service failed internally.',
    advice: 'Look for errors in the profile service; callers may retry with backoff.',
  },
  {
    code: 40007,
    name: 'profile_read_denied',
    outcome: 'caller_error',
    meaning: 'The caller may not read this profile field.',
    advice: "Check the field's read permission in the console.",
  },
  {
    code: 40008,
    name: 'profile_write_denied',
    outcome: 'caller_error',
    meaning: 'The caller may not write this profile field.',
    advice: "Check the field's write permission in the console.",
  },
  {
    code: 40009,
    name: 'profile_field_unknown',
    outcome: 'caller_error',
    meaning: 'The profile has no such field.',
    advice: "Check the field's tag; a custom field must be created first.",
  },
  {
    code: 40601,
    name: 'profile_value_too_long',
    outcome: 'caller_error',
    meaning: 'A profile value exceeds 500 bytes.',
    advice: 'Shorten the value.',
  },
  {
    code: 40605,
    name: 'profile_value_invalid',
    outcome: 'caller_error',
    meaning: 'A standard profile field has a value outside its list.',
    advice: 'Use one of the documented values.',
  },
  {
    code: 40610,
    name: 'profile_value_type_wrong',
    outcome: 'caller_error',
    meaning: 'A profile value has the wrong type.',
    advice: 'Send the type that the field was defined with.',
  },
];
