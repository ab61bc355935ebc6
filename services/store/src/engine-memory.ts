/*
 * The memory bounds of the engine. All statements and merges together stay within one bound, and one statement within
 * half of it, so that a large read leaves memory for inserts. A statement beyond its bound ends with code 241, which
 * the aggregator retries. Caches, by default gigabytes, are a fraction of the bound.
 */

const MIB = 1024 * 1024;
/** For compiled expressions and for filter results: enough for all our statements at any bound. */
const SMALL_CACHE_BYTES = 16 * MIB;

/**
 * Elements of the engine's configuration, in bytes. Caches may use 7/32 of the bound: marks 1/8, primary keys 1/16,
 * marks of indexes 1/32.
 * @param bytesMax bound of statements, merges and caches together
 */
export function memoryConfig(bytesMax: number): string {
  return elements({
    max_server_memory_usage: bytesMax,
    mark_cache_size: Math.floor(bytesMax / 8),
    primary_index_cache_size: Math.floor(bytesMax / 16),
    index_mark_cache_size: Math.floor(bytesMax / 32),
    compiled_expression_cache_size: SMALL_CACHE_BYTES,
    query_condition_cache_size: SMALL_CACHE_BYTES,
  });
}

/** Elements of the settings profile that applies to every statement. */
export function statementMemory(bytesMax: number): string {
  return elements({ max_memory_usage: Math.floor(bytesMax / 2) });
}

function elements(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('');
}
