import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kysely } from 'kysely';
import { INTEGER } from '../src/columns.js';
import type { Database, UntypedTables } from '../src/database.js';
import { migrate, type Migration, type MigrationStep } from '../src/migrate.js';
import { DIALECTS, emptyDatabase } from './both-databases.js';
import { BOTH_PETS, FIRST, PET_MIGRATIONS, PET_STATEMENTS, SECOND } from './pet-migrations.js';

async function pets(database: Database<UntypedTables>): Promise<unknown[]> {
  return database.kysely.selectFrom('pet').select(['name', 'owner']).orderBy('name').execute();
}

for (const dialect of DIALECTS) {
  test(`${dialect}: migrations are done once, in order`, async () => {
    const database = (await emptyDatabase(dialect)).open<UntypedTables>();
    const { statements } = await migrate(database, 'pets', PET_MIGRATIONS);
    assert.deepEqual(
      statements.map(({ migration, position }) => `${migration} ${position}`),
      [
        '0001-pets 0',
        '0001-pets 1',
        '0002-owners 0',
        '0002-owners 1',
        '0002-owners 2',
        '0002-owners 3',
        '0002-owners 4',
      ],
    );
    assert.deepEqual(await migrate(database, 'pets', PET_MIGRATIONS), { statements: [], unknown: [] });
    assert.deepEqual(await pets(database), BOTH_PETS);
  });

  test(`${dialect}: a dry run names the statements and changes nothing`, async () => {
    const database = (await emptyDatabase(dialect)).open<UntypedTables>();
    const { statements } = await migrate(database, 'pets', PET_MIGRATIONS, { dryRun: true });
    assert.equal(statements.length, PET_STATEMENTS);
    assert.match(statements[0]?.sql ?? '', /^create table .pet. /);
    assert.deepEqual(await tables(database), []);
    await migrate(database, 'pets', [FIRST]);
    const left = await migrate(database, 'pets', PET_MIGRATIONS, { dryRun: true });
    assert.equal(left.statements.length, PET_STATEMENTS - 2);
  });

  test(`${dialect}: a run that ends at any step of any statement is finished by the next one`, async () => {
    const seen = await stepsOf(dialect);
    assert.ok(seen.length >= 3 * PET_STATEMENTS);
    for (const [at, { migration, position, state }] of seen.entries()) {
      const database = (await emptyDatabase(dialect)).open<UntypedTables>();
      let steps = 0;
      const ends = async (): Promise<void> => {
        if (steps++ === at) throw new Error('ended here');
      };
      await assert.rejects(migrate(database, 'pets', PET_MIGRATIONS, { onStep: ends }), /ended here/);
      await migrate(database, 'pets', PET_MIGRATIONS);
      assert.deepEqual(await pets(database), BOTH_PETS, `${migration} ${position} ${state}`);
      await database.close();
    }
  });

  test(`${dialect}: two processes at once do each statement once`, async () => {
    const base = await emptyDatabase(dialect);
    const results = await Promise.all(
      Array.from({ length: 4 }, async () => migrate(base.open<UntypedTables>(), 'pets', PET_MIGRATIONS)),
    );
    const done = results.flatMap(({ statements }) => statements);
    assert.equal(done.length, PET_STATEMENTS);
    assert.deepEqual(await pets(base.open<UntypedTables>()), BOTH_PETS);
  });

  test(`${dialect}: a migration that has changed since it was done is refused`, async () => {
    const database = (await emptyDatabase(dialect)).open<UntypedTables>();
    await migrate(database, 'pets', PET_MIGRATIONS);
    const changed = (statements: Migration['statements']): Promise<unknown> =>
      migrate(database, 'pets', [FIRST, { name: SECOND.name, statements }]);
    const refused = /0002-owners of pets has changed since it was done/;
    await assert.rejects(
      changed((kysely) => SECOND.statements(kysely, dialect).slice(0, -1)),
      refused,
    );
    await assert.rejects(
      changed((kysely) => [...SECOND.statements(kysely, dialect), kysely.deleteFrom('pet')]),
      refused,
    );
    await assert.rejects(
      changed((kysely) => [
        ...SECOND.statements(kysely, dialect).slice(0, 2),
        kysely.insertInto('pet').values({ name: 'Tom', owner: 'Eve' }),
        ...SECOND.statements(kysely, dialect).slice(3),
      ]),
      refused,
    );
    assert.deepEqual(await pets(database), BOTH_PETS);
  });

  test(`${dialect}: a migration before one that was done is refused`, async () => {
    const database = (await emptyDatabase(dialect)).open<UntypedTables>();
    await migrate(database, 'pets', [FIRST]);
    await assert.rejects(
      migrate(database, 'pets', [{ name: '0000-early', statements: () => [] }, FIRST, SECOND]).then(
        async () =>
          migrate(database, 'pets', [
            { name: '0000-late', statements: ({ schema }) => [schema.dropTable('pet')] },
            ...PET_MIGRATIONS,
          ]),
      ),
      /0000-late of pets is not done, but 0001-pets after it is: put new migrations at the end/,
    );
  });

  test(`${dialect}: services have migrations of their own, also by the same name`, async () => {
    const database = (await emptyDatabase(dialect)).open<UntypedTables>();
    await migrate(database, 'pets', PET_MIGRATIONS);
    const other: Migration = {
      name: FIRST.name,
      statements: ({ schema }) => [schema.createTable('plant').addColumn('a', INTEGER)],
    };
    assert.equal((await migrate(database, 'plants', [other])).statements.length, 1);
    assert.deepEqual(await tables(database), ['pet', 'plant', 'schema_migration']);
  });

  test(`${dialect}: migrations of a newer version are named and left alone`, async () => {
    const database = (await emptyDatabase(dialect)).open<UntypedTables>();
    await migrate(database, 'pets', PET_MIGRATIONS);
    assert.deepEqual(await migrate(database, 'pets', [FIRST]), { statements: [], unknown: ['0002-owners'] });
  });

  test(`${dialect}: a statement that fails is named, and tried again by the next run`, async () => {
    const database = (await emptyDatabase(dialect)).open<UntypedTables>();
    await migrate(database, 'pets', [FIRST]);
    await database.kysely.insertInto('pet').values({ name: 'Tom' }).execute();
    await assert.rejects(
      migrate(database, 'pets', PET_MIGRATIONS),
      /migration 0002-owners failed at statement 3 of 5: .*; the statement: insert into .pet. /s,
    );
    await database.kysely.deleteFrom('pet').where('name', '=', 'Tom').execute();
    assert.equal((await migrate(database, 'pets', PET_MIGRATIONS)).statements.length, 3);
  });
}

test('mysql: a statement that was never begun is not taken for done because its table is there', async () => {
  const database = (await emptyDatabase('mysql')).open<UntypedTables>();
  await database.kysely.schema.createTable('pet').addColumn('other', INTEGER).execute();
  await assert.rejects(
    migrate(database, 'pets', PET_MIGRATIONS),
    /0001-pets failed at statement 1 of 2: .*exists/,
  );
});

async function tables({ kysely }: { readonly kysely: Kysely<UntypedTables> }): Promise<string[]> {
  const found = await kysely.introspection.getTables();
  return found.map(({ name }) => name).toSorted();
}

async function stepsOf(dialect: (typeof DIALECTS)[number]): Promise<MigrationStep[]> {
  const database = (await emptyDatabase(dialect)).open<UntypedTables>();
  const steps: MigrationStep[] = [];
  await migrate(database, 'pets', PET_MIGRATIONS, {
    onStep: (step) => {
      steps.push(step);
    },
  });
  return steps;
}
