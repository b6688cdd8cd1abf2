import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Seconds that the longest files take on two processors (docs/testing.md). It needs to be right only roughly: a file of which
 * nothing is known here counts as {@link UNKNOWN}.
 */
const SECONDS: Readonly<Record<string, number>> = {
  'test/compose/compose.test.ts': 1_200,
  'test/durable/catalog/branch-history.test.ts': 60,
  'test/durable/catalog/deliveries.test.ts': 40,
  'test/durable/catalog/disk.test.ts': 20,
  'test/durable/catalog/equivalence.test.ts': 40,
  'test/durable/catalog/fairness.test.ts': 100,
  'test/durable/catalog/fleet.test.ts': 200,
  'test/durable/catalog/forge-budget.test.ts': 95,
  'test/durable/catalog/headline.test.ts': 30,
  'test/durable/catalog/resilience.test.ts': 200,
  'test/durable/catalog/sweep.test.ts': 190,
  'test/durable/catalog/takeover.test.ts': 30,
  'test/durable/stack/servers.test.ts': 60,
  'test/durable/mgit/github-limits.test.ts': 28,
};
const UNKNOWN = 15;

/** Makes the shards of `--shard i/n` take about the same time. Every file is in exactly one shard. */
export class BalancedSequencer extends BaseSequencer {
  override async shard(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root, shard } = this.ctx.config;
    if (!shard) return files;
    const known = files.map((file) => ({ file, path: relative(root, file.moduleId) }));
    const place = shardsOf(
      known.map(({ path }) => path),
      shard.count,
    );
    return known.flatMap(({ file, path }) => (place.get(path) === shard.index ? [file] : []));
  }
}

/** The shard of each file, from 1: the longest file first, each to the shard with the least work. */
export function shardsOf(paths: readonly string[], count: number): Map<string, number> {
  const weight = (path: string): number => SECONDS[path] ?? UNKNOWN;
  const ordered = paths.toSorted((a, b) => weight(b) - weight(a) || (a < b ? -1 : 1));
  const load = Array.from({ length: count }, () => 0);
  return new Map(
    ordered.map((path) => {
      const least = load.indexOf(Math.min(...load));
      load[least] = (load[least] ?? 0) + weight(path);
      return [path, least + 1];
    }),
  );
}
