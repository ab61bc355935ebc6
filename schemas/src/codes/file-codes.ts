/*
 * Result codes of files sent in messages, 114000 to 115999.
 */
import type { CodeEntry } from './code-entry.js';

export const FILE_CODES: readonly CodeEntry[] = [
  {
    code: 114000,
    name: 'file_not_found',
    outcome: 'caller_error',
    meaning: 'The file to be sent does not exist.',
    advice: 'Check the path, and whether the file was deleted meanwhile.',
  },
  {
    code: 114001,
    name: 'file_access_denied',
    outcome: 'caller_error',
    meaning: 'The file to be sent may not be read.',
    advice: 'Check the permissions of the file.',
  },
  {
    code: 114002,
    name: 'file_too_large',
    outcome: 'caller_error',
    meaning: 'The file exceeds the allowed size.',
    advice: 'Send a smaller file.',
  },
  {
    code: 114003,
    name: 'file_send_cancelled',
    outcome: 'caller_error',
    meaning: 'The user cancelled the transfer, or logged out during it.',
    advice: 'Nothing to repair.',
  },
  {
    code: 114004,
    name: 'file_read_failed',
    outcome: 'caller_error',
    meaning: 'The content of the file could not be read.',
    advice: "Check the device's storage.",
  },
  // Often the user's network; a service error so that a slow region shows.
  {
    code: 114005,
    name: 'file_transfer_timed_out',
    outcome: 'service_error',
    meaning: 'The transfer of the file took too long.',
    advice: 'Check upload delay by region and network.',
  },
  {
    code: 114011,
    name: 'file_parameter_invalid',
    outcome: 'caller_error',
    meaning: 'A parameter of the file request is not allowed.',
    advice: "Compare the request with the interface's field table.",
  },
  {
    code: 115066,
    name: 'file_checksum_wrong',
    outcome: 'caller_error',
    meaning: 'The checksum of the file does not match.',
    advice: 'Send the file again; if it stays, compare how the checksum is made.',
  },
  {
    code: 115068,
    name: 'file_part_checksum_wrong',
    outcome: 'caller_error',
    meaning: 'The checksum of a part does not match.',
    advice: 'Send the part again; if it stays, compare how the checksum is made.',
  },
];
