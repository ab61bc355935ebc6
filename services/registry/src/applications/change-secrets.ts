/* The application key, secrets and certificates: written, replaced, never read. Each change makes a new revision. */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { SecretSummary } from '@imscope/schemas/registry-api/application.js';
import type { Handler, OperationCall } from '../operations/operation-call.js';
import type { Writer } from '../rows/application-rows.js';
import { APPLICATION_KEY } from '../secrets/secret-store.js';
import { readChangeable, requireNotTerminated } from './change-state.js';
import { newKey } from './create-application.js';
import type { ApplicationDependencies } from './dependencies.js';
import { escaped } from '@imscope/schemas/registry-api/differences.js';
import { applicationAnswer, readComplete } from './read-complete.js';
import { writeChange } from './write-change.js';

export function rotateKey(dependencies: ApplicationDependencies): Handler<'rotateKey'> {
  return async (call) => {
    const { nowMs, caller, body } = call;
    const key = newKey();
    const secret = { sdkAppId: call.params.sdk_app_id, name: APPLICATION_KEY, value: key };
    const after = await writeChange(dependencies, {
      before: await readChangeable(dependencies, call),
      action: 'application.rotate_key',
      author: caller.name,
      reason: body.reason,
      paths: ['/key'],
      nowMs,
      more: async (transaction) => {
        await dependencies.secrets.put(transaction, [secret], nowMs);
      },
    });
    return { application: await applicationAnswer(dependencies, after), key };
  };
}

export function putSecret(dependencies: ApplicationDependencies): Handler<'putSecret'> {
  return async (call) => {
    const { name, value } = call.body;
    const certificateId = /^push\/(.+)\/app_secret$/.exec(name)?.[1];
    const secret = { sdkAppId: call.params.sdk_app_id, name, value };
    return writeSecret(dependencies, call, { name, certificateId, action: 'secret.put' }, (transaction) =>
      dependencies.secrets.put(transaction, [secret], call.nowMs).then(([summary]) => summary),
    );
  };
}

export function putCertificate(dependencies: ApplicationDependencies): Handler<'putCertificate'> {
  return async (call) => {
    const { sdk_app_id: sdkAppId, certificate_id: certificateId } = call.params;
    const content = Buffer.from(call.body.content_base64, 'base64');
    const certificate = { sdkAppId, certificateId, content, password: call.body.password };
    const name = `push/${certificateId}/certificate`;
    return writeSecret(
      dependencies,
      call,
      { name, certificateId, action: 'certificate.put' },
      (transaction) => dependencies.putCertificate(transaction, certificate, call.nowMs),
    );
  };
}

export function testCallback(dependencies: ApplicationDependencies): Handler<'testCallback'> {
  return async ({ params }) => {
    const { database, documents } = dependencies;
    const { configuration } = await readComplete(database.kysely, documents, params.sdk_app_id);
    const { url, timeout_ms: timeoutMs } = configuration.callback;
    if (url === null) {
      throw new HttpError(
        'wrong_state',
        `application ${params.sdk_app_id} has no callback URL: set /configuration/callback/url first`,
      );
    }
    const { address, status, durationMs } = await dependencies.testCallback(url, timeoutMs);
    return { address, status, duration_ms: durationMs };
  };
}

type NewSecret = {
  readonly name: string;
  readonly certificateId: string | undefined;
  readonly action: string;
};
type SecretCall = Pick<OperationCall<'putSecret' | 'putCertificate'>, 'params' | 'caller' | 'body' | 'nowMs'>;

/** The caller names no revision, so another change in between is no reason to refuse. Each attempt is lost to one. */
const ATTEMPTS_MAX = 20;

async function writeSecret(
  dependencies: ApplicationDependencies,
  call: SecretCall,
  secret: NewSecret,
  put: (transaction: Writer) => Promise<SecretSummary | undefined>,
): Promise<SecretSummary> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await writeSecretOnce(dependencies, call, secret, put);
    } catch (error) {
      const isStale = error instanceof HttpError && error.code === 'precondition_failed';
      if (!isStale) throw error;
      if (attempt < ATTEMPTS_MAX) continue;
      throw new HttpError(
        'unavailable',
        `application ${call.params.sdk_app_id} is changed by others all the time, nothing was changed: try again`,
        { cause: error },
      );
    }
  }
}

async function writeSecretOnce(
  dependencies: ApplicationDependencies,
  { params, caller, body, nowMs }: SecretCall,
  { certificateId, name, action }: NewSecret,
  put: (transaction: Writer) => Promise<SecretSummary | undefined>,
): Promise<SecretSummary> {
  const { database, documents } = dependencies;
  const before = await readComplete(database.kysely, documents, params.sdk_app_id);
  requireNotTerminated(before);
  const certificates = before.configuration.push_certificates.map(({ id }) => id);
  if (certificateId !== undefined && !certificates.includes(certificateId)) {
    throw new HttpError(
      'not_found',
      `application ${params.sdk_app_id} has no push certificate "${certificateId}": add it to /configuration/push_certificates first`,
    );
  }
  let summary: SecretSummary | undefined;
  await writeChange(dependencies, {
    before,
    action,
    author: caller.name,
    reason: body.reason,
    paths: [`/secrets/${escaped(name)}`],
    nowMs,
    more: async (transaction) => {
      summary = await put(transaction);
    },
  });
  if (summary === undefined) throw new Error('a secret was written without a summary');
  return summary;
}
