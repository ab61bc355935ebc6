/* An application with something in every place, terminated, with its purge due. */
import { transact } from '@imscope/state/transact.js';
import { exportKey } from '../../src/objects/export-key.js';
import { insertTokens, type NewToken } from '../../src/rows/tokens.js';
import { APPLICATION, type LifecycleUnderTest, PURGE_MS, START_MS } from './lifecycle-under-test.js';

/** Texts that must be nowhere after the purge. */
export const TRACES = ['Nachtigall', 'owner of', 'Frau Krause', 'renamed to'];

function token(sha256: string, applications: NewToken['applications']): NewToken {
  const common = { name: 'gateway', scope: 'write', expiresMs: null, recordsPerSecondMax: null } as const;
  return { ...common, sha256: sha256.repeat(64), applications, createdMs: START_MS, origin: 'api' };
}

export async function terminateFilled(registry: LifecycleUnderTest): Promise<void> {
  const { database, secrets, objects, clock } = registry;
  await registry.create('Nachtigall', { share_with_trtc: true });
  await registry.change(1, 'Nachtigall Zwei');
  await transact(database, async (tx) => {
    const signing = { sdkAppId: APPLICATION, name: 'callback/signing_key', value: 'Nachtigall secret' };
    await secrets.put(tx, [signing], START_MS);
    const certificate = { sdkAppId: APPLICATION, certificateId: 'apns', password: undefined };
    await secrets.putCertificate(tx, { ...certificate, content: Buffer.from('Nachtigall') }, START_MS);
    await insertTokens(tx, [
      token('a', [APPLICATION]),
      token('b', [APPLICATION, APPLICATION + 1]),
      token('c', 'all'),
    ]);
  });
  for (const [id, sdkAppId] of [
    ['logs', APPLICATION],
    ['fleet', null],
  ] as const) {
    const key = exportKey(id, sdkAppId);
    await objects.put(key, Buffer.from('{"name":"Nachtigall"}'));
    const common = {
      author: 'anna',
      created_ms: START_MS,
      row_count: 1,
      byte_count: 20,
      ends_ms: PURGE_MS * 2,
      applications: null,
    };
    await database.kysely
      .insertInto('export_object')
      .values({ id, kind: id, sdk_app_id: sdkAppId, object_key: key, ...common })
      .execute();
  }
  // Of an export that was cut off.
  await objects.put(exportKey('cut-off', APPLICATION), Buffer.from('Nachtigall'));
  await confirmTrtc(registry);
  await registry.terminate(2);
  await confirmTrtc(registry);
  clock.nowMs = PURGE_MS;
}

/** TRTC takes what waits for it. */
export async function confirmTrtc({ database, clock }: LifecycleUnderTest): Promise<void> {
  const kinds = ['trtc_share', 'trtc_end'] as const;
  const rows = await database.kysely.selectFrom('outbox').select('kind').where('kind', 'in', kinds).execute();
  await database.kysely.deleteFrom('outbox').where('kind', 'in', kinds).execute();
  for (const { kind } of rows) {
    const times = kind === 'trtc_end' ? { ended_ms: clock.nowMs } : { shared_ms: clock.nowMs, attempts: 1 };
    await database.kysely.updateTable('sharing').set(times).where('ended_ms', 'is', null).execute();
  }
}
