/*
 * Result codes of recent contacts and conversation groups, 50000 to 59999.
 */
import type { CodeEntry } from './code-entry.js';

export const RECENT_CONTACT_CODES: readonly CodeEntry[] = [
  {
    code: 50001,
    name: 'contact_account_not_found',
    outcome: 'caller_error',
    meaning: 'A named account does not exist.',
    advice: 'Import the account first, or correct its ID.',
  },
  {
    code: 50002,
    name: 'contact_parameter_invalid',
    outcome: 'caller_error',
    meaning: 'A parameter of the recent contact request is not allowed.',
    advice: 'Read the error text of the answer: it names the field.',
  },
  {
    code: 50003,
    name: 'contact_administrator_required',
    outcome: 'caller_error',
    meaning: 'Only an administrator may make this recent contact call.',
    advice: 'Call with an administrator account.',
  },
  {
    code: 50004,
    name: 'contact_internal_error',
    outcome: 'service_error',
    meaning: 'The recent contact service failed internally.',
    advice: 'Look for errors in the recent contact service; callers may retry with backoff.',
  },
  {
    code: 50005,
    name: 'contact_timed_out',
    outcome: 'service_error',
    meaning: 'The recent contact service timed out.',
    advice: 'Check delay of the recent contact service and its store; callers may retry.',
  },
  {
    code: 51006,
    name: 'contact_batch_size_wrong',
    outcome: 'caller_error',
    meaning: 'More than 100 conversations were marked or grouped at once.',
    advice: 'Split the list into batches of 100.',
  },
  // Depends on the group; a service error until shown otherwise.
  {
    code: 51007,
    name: 'contact_group_operation_failed',
    outcome: 'service_error',
    meaning: 'Marking a group conversation failed: an internal error, or the group was dissolved.',
    advice: 'If many groups are hit look at the service, otherwise drop the dissolved group.',
  },
  {
    code: 51008,
    name: 'contact_marks_exceeded',
    outcome: 'caller_error',
    meaning: 'The user has marked or grouped 1,000 conversations.',
    advice: 'Remove marks from old conversations.',
  },
  {
    code: 51009,
    name: 'contact_group_not_found',
    outcome: 'caller_error',
    meaning: 'The conversation group does not exist.',
    advice: 'Read the conversation groups again.',
  },
  {
    code: 51010,
    name: 'contact_groups_exceeded',
    outcome: 'caller_error',
    meaning: 'The user has 20 conversation groups already.',
    advice: 'Delete unused conversation groups.',
  },
  {
    code: 51011,
    name: 'contact_group_name_too_long',
    outcome: 'caller_error',
    meaning: 'The name of the conversation group exceeds 32 bytes.',
    advice: 'Shorten the name; one character may take several bytes.',
  },
];
