import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inject } from 'vitest';
import type { WeaviateAddress } from '../../activities/index/store/weaviate.ts';
import { commitHeader, fastImport, fileHeader, git, importRepository } from '../../examples/git.ts';

/** Files by path; null deletes. */
export type Files = Readonly<Record<string, string | null>>;

/** A folder of real repositories, with a configuration for it and for a separate index. */
export interface Estate {
  readonly root: string;
  readonly configPath: string;
  readonly dataDir: string;
  /** First part of the names of this estate's collections. */
  readonly indexName: string;
  /** Creates a bare repository `org/repo` or `org/project/repo` with one commit. Returns its oid. */
  create(name: string, files: Files): Promise<string>;
  /** Adds a commit on `main`. Returns its oid. */
  commit(name: string, files: Files): Promise<string>;
  gitDir(name: string): string;
  dispose(): Promise<void>;
}

/** An empty estate in a temporary folder. The provider is called `local`. */
export async function createEstate(
  options: {
    indexName?: string;
    maxFileBytes?: number;
    /** The providers for the folder. @default the folder itself, as `local` */
    providers?: ((root: string) => Promise<object[]>) | undefined;
    /** Further sections of the configuration. */
    settings?: object;
  } = {},
): Promise<Estate> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-estate-'));
  const root = join(folder, 'repositories');
  const configPath = join(folder, 'longhaul.yaml');
  const dataDir = join(folder, 'data');
  const indexName = options.indexName ?? `Test${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  await mkdir(root);
  const config = {
    providers: (await options.providers?.(root)) ?? [{ name: 'local', type: 'local', root }],
    index: { name: indexName, maxFileBytes: options.maxFileBytes ?? 1_000_000 },
    dataDir,
    ...options.settings,
  };
  await writeFile(configPath, JSON.stringify(config));
  const gitDir = (name: string): string => join(root, `${name}.git`);
  let time = 1_700_000_000;
  return {
    root,
    configPath,
    dataDir,
    indexName,
    gitDir,
    async create(name, files) {
      await mkdir(dirname(gitDir(name)), { recursive: true });
      await importRepository(gitDir(name), commands(files, ++time, null));
      return head(gitDir(name));
    },
    async commit(name, files) {
      await fastImport(gitDir(name), commands(files, ++time, 'refs/heads/main^0'));
      return head(gitDir(name));
    },
    async dispose() {
      await rm(folder, { recursive: true, force: true });
      if (options.indexName === undefined) await dropIndex(indexName);
    },
  };
}

/** Deletes all collections of an index from the shared Weaviate: hundreds of them would slow it down. */
async function dropIndex(name: string): Promise<void> {
  // unit tests have no servers
  const { weaviate } = (inject('stack') as { weaviate: WeaviateAddress } | undefined) ?? { weaviate: null };
  if (weaviate === null) return;
  const headers = { authorization: `Bearer ${weaviate.apiKey}` };
  const schema = (await (await fetch(`${weaviate.url}/v1/schema`, { headers })).json()) as {
    classes: { class: string }[];
  };
  for (const { class: collection } of schema.classes) {
    if (collection.startsWith(name))
      await fetch(`${weaviate.url}/v1/schema/${collection}`, { method: 'DELETE', headers });
  }
}

function head(gitDir: string): Promise<string> {
  return git([`--git-dir=${gitDir}`, 'rev-parse', 'refs/heads/main']);
}

function* commands(files: Files, time: number, parent: string | null): Generator<string | Uint8Array> {
  const parents = parent === null ? [] : [parent];
  yield commitHeader({ ref: 'refs/heads/main', mark: 1, message: `commit at ${time}\n`, time, parents });
  for (const [path, content] of Object.entries(files)) {
    if (content === null) {
      yield `D ${path}\n`;
      continue;
    }
    const bytes = Buffer.from(content);
    yield fileHeader('100644', path, bytes.length);
    yield bytes;
    yield '\n';
  }
}
