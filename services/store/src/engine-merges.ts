/*
 * How much of the machine merges may take. They cost about as much as the inserts, and the engine's own 16 threads
 * would take what inserts and answers need just when much comes; what is left unmerged is merged when less comes, in
 * fewer steps. At 1,000 unmerged parts of four hours the engine itself slows inserts down.
 */

/** Merges under way at once, of which only one or two may be large: small ones never wait behind them. */
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
