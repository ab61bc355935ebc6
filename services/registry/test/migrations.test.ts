import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DummyDriver, Kysely, MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler } from 'kysely';
import { REGISTRY_MIGRATIONS } from '../src/rows/migrations.js';

const mysql = new Kysely<unknown>({
  dialect: {
    createAdapter: () => new MysqlAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new MysqlIntrospector(db),
    createQueryCompiler: () => new MysqlQueryCompiler(),
  },
});

test('each table of MySQL is made with its indexes by one statement that can be repeated', () => {
  for (const { name, statements } of REGISTRY_MIGRATIONS) {
    const texts = statements(mysql, 'mysql').map((statement) => statement.compile().sql);
    assert.equal(texts.length, 1, name);
    assert.match(texts[0] ?? '', /^create table if not exists .* collate = utf8mb4_bin$/s);
  }
});
