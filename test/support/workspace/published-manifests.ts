import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readJudged } from '../../../bench/judged.ts';
import type { PublishedPackage } from '../../../bench/judged.schema.ts';
import { configuredRegistries, unpackPublished } from '../../../bench/published-package.ts';

/** Packages with many or unusual manifests, in addition to those of the benchmark of searches. */
const MORE: readonly PublishedPackage[] = [
  {
    registry: 'crates',
    name: 'reqwest',
    version: '0.12.20',
    sha256: 'eabf4c97d9130e2bf606614eb937e86edac8292eaa6f422f995d7e8de1eb1813',
  },
  {
    registry: 'crates',
    name: 'sqlx',
    version: '0.8.6',
    sha256: '1fefb893899429669dcdd979aff487bd78f4064e5e7907e4269081e0ef7d97dc',
  },
  {
    registry: 'crates',
    name: 'tonic',
    version: '0.13.1',
    sha256: '7e581ba15a835f4d9ea06c55ab1bd4dce26fc53752c69a04aac00703bfb49ba9',
  },
  {
    registry: 'crates',
    name: 'uuid',
    version: '1.17.0',
    sha256: '3cf4199d1e5d15ddd86a694e4d0dffa9c323ce759fea589f00fef9d81cc1931d',
  },
  {
    registry: 'crates',
    name: 'wasm-bindgen',
    version: '0.2.100',
    sha256: '1edc8929d7499fc4e8f0be2262a241556cfc54a0bea223790e71446f2aab1ef5',
  },
  {
    registry: 'go',
    name: 'github.com/hashicorp/serf',
    version: 'v0.10.2',
    sha256: '117a872dd3c7cadc26c40ea09dfbef6100545514ae658df38187c3069de3e358',
  },
  {
    registry: 'pypi',
    name: 'attrs',
    version: '25.3.0',
    sha256: '75d7cefc7fb576747b2c81b4442d4d4a1ce0900973527c011d1030fd3bf4af1b',
  },
  {
    registry: 'pypi',
    name: 'cibuildwheel',
    version: '3.0.0',
    sha256: 'adc56154480a78f1c794fbe01b27c2510f180c3b2fcbb9519e039ba871b54565',
  },
  {
    registry: 'pypi',
    name: 'poetry',
    version: '2.1.3',
    sha256: 'f2c9bd6790b19475976d88ea4553bcc3533c0dc73f740edc4fffe9e2add50594',
  },
  {
    registry: 'pypi',
    name: 'poetry-core',
    version: '2.1.3',
    sha256: '0522a015477ed622c89aad56a477a57813cace0c8e7ff2a2906b7ef4a2e296a4',
  },
  {
    registry: 'pypi',
    name: 'pydantic',
    version: '2.11.7',
    sha256: 'd989c3c6cb79469287b1569f7447a17848c998458d49ebe294e975b9baf0f0db',
  },
  {
    registry: 'pypi',
    name: 'pytest',
    version: '8.4.0',
    sha256: '14d920b48472ea0dbf68e45b96cd1ffda4705f33307dcc86c676c1b5104838a6',
  },
  {
    registry: 'pypi',
    name: 'rich',
    version: '14.0.0',
    sha256: '82f1bc23a6a21ebca4ae0c45af9bdbc492ed20231dcb63f297d6d1021a9d5725',
  },
];

/** A manifest that was published. */
export interface PublishedManifest {
  readonly folder: string;
  /** Its last name. */
  readonly name: string;
}

/**
 * Unpacks published packages of a registry below `root` and lists all their files of this name, in the same order every
 * time. Archives are kept in `cacheDir`.
 */
export async function publishedManifests(
  registry: PublishedPackage['registry'],
  name: string,
  root: string,
  cacheDir: string,
): Promise<readonly PublishedManifest[]> {
  const packages = [...readJudged().map(({ package: pkg }) => pkg), ...MORE].filter((pkg) => pkg.registry === registry);
  const found: PublishedManifest[] = [];
  for (const pkg of packages) {
    const folder = join(root, `${pkg.name.replaceAll('/', '_')}-${pkg.version}`);
    const { folder: _, ...whole } = pkg;
    await unpackPublished(whole, folder, {
      cacheDir: join(cacheDir, 'judged', 'packages'),
      registries: configuredRegistries(),
    });
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && entry.name === name) found.push({ folder: entry.parentPath, name });
    }
  }
  return found.toSorted((a, b) => (a.folder < b.folder ? -1 : 1));
}
