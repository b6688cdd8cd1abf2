import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { createCatalogActivities } from '../../../activities/catalog/catalog.ts';
import { chunkEmbeddingText } from '../../../activities/index/models/embedding-text.ts';
import { chunk } from '../../../activities/index/analysis/chunker.ts';
import type { RepositoryOutcome } from '../../../domain/catalog/flows/fleet.ts';
import { git } from '../../../examples/git.ts';
import { type FlowsFixture, sourceOf, test } from '../../support/catalog/flows.ts';
import { mockActivity } from '../../support/mock-activity.ts';

const REPOSITORY = 'acme/api';

/** Real sources that are in no cache: every line that ends a statement is new. */
function freshFiles(): Record<string, string> {
  const mark = ` // ${randomUUID()}\n`;
  const paths = ['activities/index/ingest.ts', 'activities/index/analysis/chunker.ts', 'domain/git/skip.ts'];
  return Object.fromEntries(
    paths.map((path) => [path, sourceOf(path).replaceAll(/[;,{}]\n/g, (end) => end[0] + mark)]),
  );
}

function index({ tools }: FlowsFixture, name = REPOSITORY): Promise<RepositoryOutcome> {
  const { indexRepository } = createCatalogActivities(tools);
  return mockActivity().run(indexRepository, { repository: `local/${name}` });
}

/** The number of different texts to embed for these files. */
async function distinctTexts(files: Readonly<Record<string, string>>): Promise<number> {
  const texts = new Set<string>();
  for (const text of Object.values(files)) {
    for (const piece of await chunk(text, 'TypeScript')) {
      if (piece.text.trim() !== '') texts.add(chunkEmbeddingText(piece));
    }
  }
  return texts.size;
}

describe('a text is embedded once', () => {
  test('not again for a no-op, a rename, a revert, or a full run', async ({ flows }) => {
    const { estate, tools } = flows;
    const files = freshFiles();
    await estate.create(REPOSITORY, files);
    const first = await index(flows);
    expect(first.embedded).toBe(await distinctTexts(files));
    expect(first.embedded + first.embeddingsReused).toBe(first.objectsWritten);

    expect(await index(flows)).toMatchObject({ filesChanged: 0, objectsWritten: 0, embedded: 0 });

    const [path = '', text = ''] = Object.entries(files)[0] ?? [];
    await estate.commit(REPOSITORY, { [path]: null, 'moved/elsewhere.ts': text });
    const moved = await index(flows);
    expect(moved.objectsWritten).toBeGreaterThan(0);
    expect(moved).toMatchObject({ embedded: 0, objectsDeleted: moved.objectsWritten });

    await estate.commit(REPOSITORY, { [path]: text, 'moved/elsewhere.ts': null });
    expect(await index(flows)).toMatchObject({ embedded: 0, objectsWritten: moved.objectsWritten });

    await tools.store.deleteRepository(`local/${REPOSITORY}`);
    expect(await index(flows)).toMatchObject({ embedded: 0, objectsWritten: first.objectsWritten });
  });

  test('not again for a fork, or a branch that becomes HEAD', async ({ flows }) => {
    const { estate } = flows;
    const files = freshFiles();
    await estate.create(REPOSITORY, files);
    const { embedded, objectsWritten } = await index(flows);
    expect(embedded).toBe(await distinctTexts(files));

    await git(['clone', '--quiet', '--bare', estate.gitDir(REPOSITORY), estate.gitDir('other/fork')]);
    expect(await index(flows, 'other/fork')).toMatchObject({ embedded: 0, objectsWritten });

    const bare = `--git-dir=${estate.gitDir(REPOSITORY)}`;
    await git([bare, 'branch', 'second']);
    await git([bare, 'symbolic-ref', 'HEAD', 'refs/heads/second']);
    expect(await index(flows)).toMatchObject({ embedded: 0, objectsWritten: 0 });
  });

  test('not again by the run after an interrupted one', async ({ flows }) => {
    const { estate, tools } = flows;
    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, at) =>
        Object.entries(freshFiles()).map(([path, text]) => [`${at}/${path}`, text]),
      ).flat(),
    ) as Record<string, string>;
    await estate.create(REPOSITORY, files);
    const environment = mockActivity();
    const { indexRepository } = createCatalogActivities(tools);
    const ended = environment.run(indexRepository, { repository: `local/${REPOSITORY}` }).catch(() => 'ended');
    await expect.poll(() => tools.store.count(`local/${REPOSITORY}`), { interval: 5 }).toBeGreaterThan(0);
    environment.cancel();
    expect(await ended).toBe('ended');
    const { embedded, objectsWritten } = await index(flows);
    expect(embedded).toBeLessThan(await distinctTexts(files));
    await tools.store.deleteRepository(`local/${REPOSITORY}`);
    expect(await index(flows)).toMatchObject({ embedded: 0, objectsWritten });
  });

  test('not twice when two repositories with the same files are indexed concurrently', async ({ flows }) => {
    const { estate } = flows;
    const files = freshFiles();
    const names = ['one', 'two', 'three', 'four'].map((name) => `acme/${name}`);
    for (const name of names) await estate.create(name, files);
    const outcomes = await Promise.all(names.map((name) => index(flows, name)));
    expect(outcomes.reduce((sum, { embedded }) => sum + embedded, 0)).toBe(await distinctTexts(files));
  });
});
