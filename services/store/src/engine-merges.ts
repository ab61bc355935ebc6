/*
 * The bounds of background merges. Merges cost about as much as inserts. With the engine's default of 16 threads they
 * would take processor time from inserts and reads at the busiest moments. Postponed merges run later, in fewer
 * steps. At 1,000 unmerged parts of one partition (four hours) the engine slows inserts down.
 */

/** Concurrent merges per thread. Only one or two of all may be large, so that small ones never wait for them. */
const MERGES_PER_THREAD = 4;

/** Elements of the engine's configuration. @param threads that merge */
export function mergesConfig(threads: number): string {
  const slots = threads * MERGES_PER_THREAD;
  const perTable = Object.entries({
    number_of_free_entries_in_pool_to_lower_max_size_of_merge: slots - 1,
    number_of_free_entries_in_pool_to_execute_mutation: slots / 2,
    number_of_free_entries_in_pool_to_execute_optimize_entire_partition: slots / 2,
  }).map(([name, value]) => `<${name}>${value}</${name}>`);
  return [
    `<background_pool_size>${threads}</background_pool_size>`,
    `<background_merges_mutations_concurrency_ratio>${MERGES_PER_THREAD}</background_merges_mutations_concurrency_ratio>`,
    `<merge_tree>${perTable.join('')}</merge_tree>`,
  ].join('\n  ');
}
