/*
 * The engine's configuration: bounds of merges and memory, and one user whose rights are limited to the data
 * directory. No source (file, url, s3, remote …) is granted, only table engines that keep their data here. Reading a
 * file is a separate role, which a session has only during an INSERT that reads input(). Written at every start, into
 * the scratch directory.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { memoryConfig, statementMemory } from './engine-memory.js';
import { mergesConfig } from './engine-merges.js';

export const FILE_ROLE = 'imscope_file_reader';

const RIGHTS = [
  'CHECK, SHOW, SELECT, INSERT, ALTER, CREATE, DROP, UNDROP TABLE, TRUNCATE, OPTIMIZE, KILL QUERY, dictGet',
  'CREATE TEMPORARY TABLE, MOVE PARTITION BETWEEN SHARDS',
  'SYSTEM FLUSH, SYSTEM MERGES, SYSTEM TTL MERGES, SYSTEM RELOAD, SYSTEM DROP CACHE, SYSTEM SYNC REPLICA',
];

/** Table and database engines that keep their data in the data directory, in memory, or nowhere. */
const ENGINES = [
  '',
  'Replacing',
  'Summing',
  'Aggregating',
  'Collapsing',
  'VersionedCollapsing',
  'Graphite',
  'Coalescing',
]
  .flatMap((kind) => [`${kind}MergeTree`, `Replicated${kind}MergeTree`])
  .concat(
    'Memory',
    'Null',
    'Log',
    'TinyLog',
    'StripeLog',
    'Set',
    'Join',
    'Buffer',
    'Merge',
    'Dictionary',
    'View',
  )
  .concat('MaterializedView', 'GenerateRandom', 'Atomic', 'Replicated');

/** Above the store's own bound (QUERY_BYTES_MAX), because escaping makes query parameters longer. */
const ENGINE_QUERY_BYTES_MAX = 1024 ** 3;

/**
 * Writes the configuration into `directory`.
 * @param emptyDirectory the only directory in which the engine may look for files
 * @param bounds `mergeThreads` as in `mergesConfig`, `memoryBytesMax` as in `memoryConfig`
 * @returns the engine's arguments that name the configuration
 */
export function writeEngineConfig(
  directory: string,
  emptyDirectory: string,
  bounds: { readonly mergeThreads: number; readonly memoryBytesMax: number },
): string[] {
  const users = join(directory, 'users.xml');
  const config = join(directory, 'config.xml');
  const grants = [
    ...RIGHTS.map((rights) => `GRANT ${rights} ON *.*`),
    ...ENGINES.map((engine) => `GRANT TABLE ENGINE ON ${engine}`),
    `GRANT ${FILE_ROLE}`,
  ];
  writeFileSync(
    users,
    `<clickhouse>
  <profiles><default>
    <max_query_size>${ENGINE_QUERY_BYTES_MAX}</max_query_size><implicit_select>0</implicit_select>
    ${statementMemory(bounds.memoryBytesMax)}
  </default></profiles>
  <quotas><default></default></quotas>
  <roles><${FILE_ROLE}><grants><query>GRANT READ ON FILE</query></grants></${FILE_ROLE}></roles>
  <users><default>
    <password></password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
    <grants>${grants.map((grant) => `<query>${grant}</query>`).join('')}</grants>
  </default></users>
</clickhouse>
`,
    { mode: 0o600 },
  );
  writeFileSync(
    config,
    `<clickhouse>
  <user_directories><users_xml><path>${users}</path></users_xml></user_directories>
  <users_config>${users}</users_config>
  <user_files_path>${emptyDirectory}/</user_files_path>
  <user_scripts_path>${emptyDirectory}/</user_scripts_path>
  <format_schema_path>${emptyDirectory}/</format_schema_path>
  ${memoryConfig(bounds.memoryBytesMax)}
  ${mergesConfig(bounds.mergeThreads)}
  <access_control_improvements><enable_read_write_grants>true</enable_read_write_grants></access_control_improvements>
</clickhouse>
`,
    { mode: 0o600 },
  );
  return [`--config-file=${config}`];
}
