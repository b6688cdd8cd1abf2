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
  'test/real/blobs/blobs.test.ts': 72,
  'test/real/catalog/alerts.test.ts': 54,
  'test/real/catalog/branch-verify.test.ts': 46,
  'test/real/catalog/branches.test.ts': 110,
  'test/real/catalog/builds.test.ts': 58,
  'test/real/catalog/catalog.test.ts': 43,
  'test/real/catalog/cli.test.ts': 73,
  'test/real/catalog/embeddings.test.ts': 29,
  'test/real/catalog/equivalence.test.ts': 47,
  'test/real/catalog/forge-budget.test.ts': 40,
  'test/real/catalog/forges.test.ts': 51,
  'test/real/catalog/gateway.test.ts': 44,
  'test/real/catalog/groups.test.ts': 64,
  'test/real/catalog/ingest.test.ts': 32,
  'test/real/catalog/kills.test.ts': 78,
  'test/real/catalog/mcp.test.ts': 41,
  'test/real/catalog/models.test.ts': 62,
  'test/real/catalog/moves.test.ts': 43,
  'test/real/catalog/operator.test.ts': 40,
  'test/real/catalog/ui.test.ts': 30,
  'test/real/catalog/verify.test.ts': 65,
  'test/real/catalog/webhooks.test.ts': 97,
  'test/real/catalog/write.test.ts': 55,
  'test/real/stack/stack.test.ts': 81,
  'test/real/telemetry/observability.test.ts': 57,
  'test/real/telemetry/tracing.test.ts': 61,
  'test/unit/blobs/blob-store.test.ts': 23,
  'test/unit/docs/examples.test.ts': 17,
  'test/unit/index/analyzer.test.ts': 19,
  'test/unit/index/chunker.test.ts': 15,
  'test/unit/index/remote-model.test.ts': 22,
  'test/unit/mgit/cache-limit.test.ts': 62,
  'test/unit/mgit/files.test.ts': 20,
  'test/unit/mgit/forges.test.ts': 33,
  'test/unit/mgit/github.test.ts': 47,
  'test/unit/mgit/history.test.ts': 21,
  'test/unit/mgit/mirror.test.ts': 24,
  'test/unit/mgit/providers.test.ts': 21,
};
const UNKNOWN = 15;

/** Makes the shards of `--shard i/n` take about the same time. Every file is in exactly one shard. */
export class BalancedSequencer extends BaseSequencer {
  /** Real tests first, the longest of each kind first: at the end no processor waits for one long file. */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config;
    const rank = (file: TestSpecification): number => {
      const path = relative(root, file.moduleId);
      return (
        (SECONDS[path] ?? (path.startsWith('test/unit/') ? 1 : UNKNOWN)) + (path.startsWith('test/unit/') ? 0 : 10_000)
      );
    };
    return files.toSorted((a, b) => rank(b) - rank(a) || (a.moduleId < b.moduleId ? -1 : 1));
  }

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
