import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchJudged, readJudged } from '../../../bench/judged.ts';
import type { Judged } from '../../../bench/judged.ts';
import type { PublishedPackage } from '../../../bench/judged.schema.ts';
import type { Registries } from '../../../bench/published-package.ts';
import { git } from '../../../examples/git.ts';

describe('the judged queries', () => {
  const all = readJudged();
  const halves = [all.filter(({ half }) => half === 'tune'), all.filter(({ half }) => half === 'held-out')] as const;

  it('are about twenty-eight packages, half of them held out', () => {
    expect(halves.map((half) => half.length)).toEqual([14, 14]);
  });

  it('have the same languages in both halves', () => {
    const [tune, heldOut] = halves.map((half) => half.map(languageOf).toSorted());
    expect(tune).toEqual(heldOut);
    expect(new Set(tune).size).toBeGreaterThanOrEqual(7);
  });

  it.each(['symbol', 'semantic', 'architecture'])('ask as many %s questions in both halves', (category) => {
    const [tune, heldOut] = halves.map(
      (half) => half.flatMap(({ queries }) => queries).filter((query) => query.category === category).length,
    );
    expect(tune).toBe(heldOut);
    expect(tune).toBeGreaterThanOrEqual(30);
  });

  it('ask nothing twice', () => {
    const asked = all.flatMap(({ queries }) => queries.map(({ query }) => query.toLowerCase()));
    expect(asked.filter((query, index) => asked.indexOf(query) !== index)).toEqual([]);
  });
});

/** The extension of most of the files that answer. C and C++ are one: there is a package of each. */
function languageOf({ queries }: Judged): string {
  const count = new Map<string, number>();
  for (const path of queries.flatMap(({ relevant }) => relevant)) {
    const extension = extname(path).replace(/^\.(cc|cpp|h)$/, '.c');
    count.set(extension, (count.get(extension) ?? 0) + 1);
  }
  return [...count].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? '';
}

describe('fetchJudged', () => {
  let work: string;
  let server: Server;
  let registries: Registries;
  let asked: string[];
  /** The files of the registry, by path. */
  let served: Map<string, string | Uint8Array>;

  beforeEach(async () => {
    work = await mkdtemp(join(tmpdir(), 'judged-'));
    asked = [];
    served = new Map();
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const content = served.get(request.url ?? '');
      response.writeHead(content === undefined ? 404 : 200).end(content);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    registries = { npm: base, pypi: `${base}/simple/`, go: base, crates: base, maven: base };
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(work, { recursive: true, force: true });
  });

  it.each([
    ['npm', '@scope/thing', '/@scope/thing/-/thing-1.0.0.tgz'],
    ['pypi', 'thing', '/files/thing-1.0.0.tar.gz'],
    ['crates', 'thing', '/thing/thing-1.0.0.crate'],
    ['go', 'example.com/Some/thing', '/example.com/!some/thing/@v/1.0.0.zip'],
    ['maven', 'org.example:thing', '/org/example/thing/1.0.0/thing-1.0.0-sources.jar'],
  ] as const)(
    'makes the same commit from a package of %s, without requests the second time',
    async (registry, name, path) => {
      const judged = await publish(registry, name, path);

      const made = await fetchJudged(judged, join(work, 'cache'), undefined, registries);
      const gitDir = join(made.root, `${made.repository}.git`);
      expect(made.repository).toBe('tune/thing');
      expect(await git([`--git-dir=${gitDir}`, 'ls-tree', '-r', '--name-only', 'main'])).toBe('src/a.c\nsrc/b.c');
      expect(await git([`--git-dir=${gitDir}`, 'rev-parse', 'main'])).toBe(made.commit);

      const requests = asked.length;
      expect(await fetchJudged(judged, join(work, 'cache'), undefined, registries)).toEqual(made);
      expect(asked).toHaveLength(requests);

      await rm(join(work, 'cache/judged/packages'), { recursive: true });
      expect((await fetchJudged(judged, join(work, 'other'), undefined, registries)).commit).toBe(made.commit);
      await rm(made.root, { recursive: true });
      expect((await fetchJudged(judged, join(work, 'cache'), undefined, registries)).commit).toBe(made.commit);
    },
  );

  it('recreates a repository when the pin has changed', async () => {
    const judged = await publish('crates', 'thing', '/thing/thing-1.0.0.crate');
    const all = await fetchJudged(judged, work, undefined, registries);
    const part = { ...judged, package: { ...judged.package, folder: 'src' }, queries: queriesOn('a.c') };
    const { commit, root, repository } = await fetchJudged(part, work, undefined, registries);

    expect(commit).not.toBe(all.commit);
    expect(await git([`--git-dir=${join(root, repository)}.git`, 'ls-tree', '-r', '--name-only', 'main'])).toBe(
      'a.c\nb.c',
    );
  });

  it('rejects a package with another checksum, a missing package, and judgements of missing files', async () => {
    const judged = await publish('crates', 'thing', '/thing/thing-1.0.0.crate');
    const other = { ...judged, package: { ...judged.package, sha256: '0'.repeat(64) } };
    const missing = { ...judged, package: { ...judged.package, version: '2.0.0' } };
    const mistaken = { ...judged, queries: queriesOn('src/c.c') };

    await expect(fetchJudged(other, work, undefined, registries)).rejects.toThrow('does not have the pinned checksum');
    await expect(fetchJudged(missing, work, undefined, registries)).rejects.toThrow('it answered 404');
    await expect(fetchJudged(mistaken, work, undefined, registries)).rejects.toThrow('thing.yaml judges src/c.c');
    expect((await fetchJudged(judged, work, undefined, registries)).repository).toBe('tune/thing');
  });

  /** Serves a package as its registry would: two sources and a link that leads out of it. */
  async function publish(registry: PublishedPackage['registry'], name: string, path: string): Promise<Judged> {
    const zipped = registry === 'go' || registry === 'maven';
    const top = { npm: 'package', pypi: 'thing-1.0.0', crates: 'thing-1.0.0', go: `${name}@1.0.0`, maven: '' }[
      registry
    ];
    for (const file of ['a.c', 'b.c']) {
      await mkdir(dirname(join(work, 'made', top, 'src', file)), { recursive: true });
      await writeFile(join(work, 'made', top, 'src', file), `int ${file.replace('.c', '')};\n`);
    }
    if (!zipped) await symlink('/etc', join(work, 'made', top, 'link'));
    const archive = join(work, 'archive');
    const entry = top.split('/')[0] || 'src';
    await (zipped
      ? execa('python3', ['-m', 'zipfile', '-c', archive, entry], { cwd: join(work, 'made') })
      : execa('tar', ['-czf', archive, '-C', join(work, 'made'), entry]));
    const content = await readFile(archive);
    const sha256 = createHash('sha256').update(content).digest('hex');
    served.set(path, content);
    if (registry === 'pypi')
      served.set(`/simple/${name}/`, `<a href="../../files/thing-1.0.0.tar.gz#sha256=${sha256}">`);
    const pkg: PublishedPackage = { registry, name, version: '1.0.0', sha256 };
    return { name: 'thing', half: 'tune', package: pkg, queries: queriesOn('src/a.c') };
  }
});

function queriesOn(path: string): Judged['queries'] {
  return [{ query: 'a', category: 'symbol', relevant: [path], secondary: [] }];
}
