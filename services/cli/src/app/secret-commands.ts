/*
 * `imscope app` commands for secrets and certificates. No secret is an argument, because other processes can read a command
 * line; none is printed.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import { errorMessage } from '@imscope/runtime/error-message.js';
import {
  CERTIFICATE_BYTES_MAX,
  CERTIFICATE_PASSWORD_LENGTH_MAX,
} from '@imscope/schemas/registry-api/operations.js';
import { Command } from 'commander';
import { count } from '../command/count.js';
import { UsageError } from '../command/usage-error.js';
import {
  addCommonOptions,
  addReason,
  type AppContext,
  type AppOptions,
  print,
  withRegistry,
} from './app-context.js';
import { application } from './read-commands.js';

type ReasonOptions = AppOptions & { readonly reason: string };
type CertificateOptions = ReasonOptions & { readonly passwordFile?: string };

/** A character has up to 4 bytes in UTF-8; a line's end follows. */
const PASSWORD_FILE_BYTES_MAX = CERTIFICATE_PASSWORD_LENGTH_MAX * 4 + 2;

export function secretCommands(context: AppContext): Command[] {
  return [secret(context), certificate(context)];
}

function secret(context: AppContext): Command {
  return addReason(addCommonOptions(new Command('secret')))
    .description('Set a secret of an application: read from stdin, never shown again.')
    .addArgument(application())
    .argument('<name>', 'callback/signing_key or push/<certificate id>/app_secret')
    .action((id: number, name: string, options: ReasonOptions) =>
      withRegistry(context, options, async ({ call }) => {
        const { stdin, stderr, stopping } = context.terminal;
        if (stdin.isTTY === true) stderr.write('Type the secret, then Enter and Ctrl-D: ');
        const value = withoutLineEnd(await readAll(stdin));
        if (value === '') throw new UsageError('stdin holds no secret: pipe it in, such as < secret.txt');
        const input = { params: { sdk_app_id: id }, body: { name, value, reason: options.reason } };
        const answer = await call('putSecret', input, stopping);
        print(context, options, answer, () => `${answer.name} was set at ${answer.set_at}`);
      }),
    );
}

function certificate(context: AppContext): Command {
  return addReason(addCommonOptions(new Command('certificate')))
    .description('Store the file of an offline push certificate, encrypted; it is never shown again.')
    .addArgument(application())
    .argument('<certificate id>', 'its id in configuration.push_certificates')
    .argument('<file>', `such as a .p12 or .p8 file, 1 to ${count(CERTIFICATE_BYTES_MAX)} bytes`)
    .option(
      '--password-file <file>',
      `file that holds the password of the certificate, 1 to ${CERTIFICATE_PASSWORD_LENGTH_MAX} characters`,
    )
    .action((id: number, certificateId: string, file: string, options: CertificateOptions) =>
      withRegistry(context, options, async ({ call }) => {
        const { passwordFile, reason } = options;
        const body = {
          content_base64: readCertificateFile(file).toString('base64'),
          ...(passwordFile === undefined ? {} : { password: readPasswordFile(passwordFile) }),
          reason,
        };
        const params = { sdk_app_id: id, certificate_id: certificateId };
        const answer = await call('putCertificate', { params, body }, context.terminal.stopping);
        print(context, options, answer, () => `${answer.name} was set at ${answer.set_at}`);
      }),
    );
}

function readCertificateFile(file: string): Buffer {
  const content = readStart(file, CERTIFICATE_BYTES_MAX + 1);
  const allowed = `a certificate has 1 to ${count(CERTIFICATE_BYTES_MAX)} bytes`;
  if (content.length === 0) throw new UsageError(`${file} is empty: ${allowed}`);
  if (content.length > CERTIFICATE_BYTES_MAX) {
    throw new UsageError(`${file} has more than ${count(CERTIFICATE_BYTES_MAX)} bytes: ${allowed}`);
  }
  return content;
}

/** No message shows what the file holds. */
function readPasswordFile(file: string): string {
  const bytes = readStart(file, PASSWORD_FILE_BYTES_MAX + 1);
  const allowed = `1 to ${CERTIFICATE_PASSWORD_LENGTH_MAX} characters, in UTF-8`;
  const password = withoutLineEnd(utf8(bytes, `the password file ${file} is not UTF-8: give ${allowed}`));
  if (password === '') {
    throw new UsageError(
      `the password file ${file} is empty: give ${allowed}, or no --password-file where there is no password`,
    );
  }
  // As the registry counts: characters, not UTF-16 units.
  const isTooLong = bytes.length > PASSWORD_FILE_BYTES_MAX;
  if (isTooLong || Array.from(password).length > CERTIFICATE_PASSWORD_LENGTH_MAX) {
    throw new UsageError(`the password file ${file} holds too much: give ${allowed}`);
  }
  return password;
}

function utf8(bytes: Buffer, message: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new UsageError(message, { cause: error });
  }
}

/** The first bytes of a file or pipe: a file that is too large is not read to its end. */
function readStart(file: string, bytesMax: number): Buffer {
  const buffer = Buffer.alloc(bytesMax);
  let length = 0;
  try {
    const descriptor = openSync(file, 'r');
    try {
      for (let read = -1; read !== 0 && length < bytesMax; length += read) {
        read = readSync(descriptor, buffer, length, bytesMax - length, null);
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${errorMessage(error)}`, { cause: error });
  }
  return buffer.subarray(0, length);
}

/** A line's end is not part of a secret. */
function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}
