/*
 * How much memory the engine may use. All statements and merges together stay within one bound, one statement within
 * half of it, so that a wide question leaves room for inserts; what goes beyond ends with code 241, which the
 * aggregator tries again. Caches that the engine would let grow to gigabytes get a share of the bound.
 */

const MIB = 1024 * 1024;
/** Compiled expressions and the cache of filter results: enough for all our statements, whatever the bound. */
const SMALL_CACHE_BYTES = 16 * MIB;

/**
 * Elements of the engine's configuration, in bytes. Caches may fill 7/32 of the bound: marks an eighth, primary keys a
 * sixteenth, marks of indexes a thirty-second.
 * @param bytesMax of all memory the engine counts: statements, merges, caches
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

/** Elements of the profile every statement begins with. */
export function statementMemory(bytesMax: number): string {
  return elements({ max_memory_usage: Math.floor(bytesMax / 2) });
}

function elements(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('');
}
