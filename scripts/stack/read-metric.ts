/* Reads one metric of a running service from its /metrics. */

/** The sum of a metric over its labels. Throws where the service has none of this name. */
export async function readMetric(adminPort: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
  if (values.length === 0) throw new Error(`port ${adminPort} has no metric ${name}`);
  return values.reduce((sum, value) => sum + value, 0);
}
