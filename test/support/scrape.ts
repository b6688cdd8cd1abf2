/** The samples of one scrape: values by name and labels, as Prometheus writes them. */
export async function scrape(address: string): Promise<Map<string, number>> {
  return samplesIn(await pageAt(address));
}

/** The samples of a page: see {@link scrape}. */
export function samplesIn(page: string): Map<string, number> {
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

/** The names that a query may use: of samples, and of metrics without samples yet. */
export async function metricNames(address: string): Promise<ReadonlySet<string>> {
  return new Set(
    (await pageAt(address))
      .split('\n')
      .flatMap((line) => /^(?:# TYPE )?([a-zA-Z_:][\w:]*)(?=[ {])/.exec(line)?.[1] ?? []),
  );
}

async function pageAt(address: string): Promise<string> {
  const response = await fetch(`http://${address}/metrics`);
  if (!response.ok) throw new Error(`the metrics page answers ${response.status}: ${await response.text()}`);
  return response.text();
}
