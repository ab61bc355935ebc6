/* The command `rotate-master-key`, as an operator runs it, on both backends' databases. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BACKENDS, openRegistry } from '../backends.js';
import { newApplication } from '../new-application.js';
import { rotateMasterKeyCommand } from '../../src/rotate-master-key-command.js';
import { newMasterKeyLine } from '../../src/secrets/master-keys.js';

const ONE = 1_400_000_701;

for (const backend of BACKENDS) {
  void describe(backend, async () => {
    const registry = await openRegistry(backend, `rotate_${backend}`);
    const { call, env } = registry;
    await call('createApplication', { body: newApplication(ONE) });
    const old = env['REGISTRY_MASTER_KEY'] ?? '';
    const rotate = async (masterKeys: string, args: readonly string[] = []) => {
      const output: string[] = [];
      const stream = { write: (text: string) => output.push(text) > 0 };
      const environment = { ...env, REGISTRY_MASTER_KEY: masterKeys };
      // Only `write` is used.
      const streams = { stdout: stream, stderr: stream } as unknown as Parameters<
        typeof rotateMasterKeyCommand
      >[2];
      return { code: await rotateMasterKeyCommand(args, environment, streams), output: output.join('') };
    };

    test('a rotation without the old key ends with 1 and names the key that is missing', async () => {
      const { code, output } = await rotate(newMasterKeyLine(Date.now()));
      assert.equal(code, 1);
      assert.ok(output.includes(`master key ${old.split(':')[0]} is missing`), output);
    });

    test('settings that are wrong end with 2, without a key in the output', async () => {
      const line = newMasterKeyLine(Date.now()).trim();
      const { code, output } = await rotate(`${line}surplus`);
      assert.equal(code, 2);
      assert.match(output, /line 1: not a master key/);
      assert.ok(!output.includes(line.split(':')[1] ?? ''));
    });

    test('arguments end with 2', async () => {
      assert.equal((await rotate(old, ['surplus'])).code, 2);
    });

    test('after a rotation the summaries name the new key', async () => {
      const line = newMasterKeyLine(Date.now() + 1_000).trim();
      const { code, output } = await rotate(`${line}\n${old}`);
      assert.equal(code, 0, output);
      assert.match(output, /done: 1 data keys wrapped/);
      const { secrets } = await call('getApplication', { params: { sdk_app_id: ONE } });
      assert.deepEqual([...new Set(secrets.map((secret) => secret.key_id))], [line.split(':')[0]]);
    });

    test.after(() => registry.stop());
  });
}
