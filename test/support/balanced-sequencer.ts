import { relative } from 'node:path';
import seconds from '../seconds.json' with { type: 'json' };
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Approximate seconds of the longest files on two processors (docs/testing.md). A file that is not listed counts as
 * {@link UNKNOWN}.
 */
const SECONDS: Readonly<Record<string, number>> = seconds;
const UNKNOWN = 15;

/** Makes the shards of `--shard i/n` take about the same time. Every file is in exactly one shard. */
export class BalancedSequencer extends BaseSequencer {
  /** Real tests first, and the longest of each kind first, so that no processor waits for one long file at the end. */
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
