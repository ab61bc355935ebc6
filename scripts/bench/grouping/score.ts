/*
 * Compares groups with labels, as LogHub does: a group counts where its set of messages equals that of a label exactly.
 */
export type Score = {
  /** Of all messages, the share in groups that count. */
  readonly groupingAccuracy: number;
  /** F1 over groups. */
  readonly groupF1: number;
  readonly groups: number;
  readonly labels: number;
};

/** Both lists have an entry for each message, in the same order. */
export function scoreGroups(groupOf: readonly string[], labelOf: readonly string[]): Score {
  const labelSizes = new Map<string, number>();
  for (const label of labelOf) labelSizes.set(label, (labelSizes.get(label) ?? 0) + 1);
  const groups = new Map<string, { size: number; readonly label: string; isOfOneLabel: boolean }>();
  for (const [index, group] of groupOf.entries()) {
    const label = labelOf[index] ?? '';
    const found = groups.get(group) ?? { size: 0, label, isOfOneLabel: true };
    found.size++;
    found.isOfOneLabel &&= found.label === label;
    groups.set(group, found);
  }
  const exact = [...groups.values()].filter(
    ({ size, label, isOfOneLabel }) => isOfOneLabel && labelSizes.get(label) === size,
  );
  const messages = exact.reduce((sum, { size }) => sum + size, 0);
  return {
    groupingAccuracy: groupOf.length === 0 ? 0 : messages / groupOf.length,
    groupF1: groups.size === 0 ? 0 : (2 * exact.length) / (groups.size + labelSizes.size),
    groups: groups.size,
    labels: labelSizes.size,
  };
}
