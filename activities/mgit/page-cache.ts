import { readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { CachedPage, PageCache } from '../forges/github-client.ts';
import { noteContent, pagesFolder } from './cache-limit.ts';
import { withoutCredentials } from '../git/clone-url.ts';
import { sha256 } from '../../platform/sha256.ts';
import { writeWhole } from '../../platform/whole-file.ts';

/** Pages in a folder of the cache, which may be deleted at any time, and count for its limit. */
export function createPageCache(cacheDir: string, provider: string, fingerprint: string): PageCache {
  const folder = join(pagesFolder(cacheDir), encodeURIComponent(provider), fingerprint);
  const pathOf = (url: string): string => join(folder, `${sha256(url)}.json`);
  return {
    async read(url) {
      const [digest = '', ...lines] = (await readFile(pathOf(url), 'utf8').catch(() => '')).split('\n');
      const text = lines.join('\n');
      if (digest !== sha256(text)) return null;
      const { url: of, ...page } = JSON.parse(text) as CachedPage & { url: string };
      if (of !== url) return null;
      // what is used stays when the cache is full
      const now = new Date();
      await utimes(pathOf(url), now, now).catch(() => undefined);
      return page;
    },
    async write(url, page) {
      const text = JSON.stringify({ url, ...page }, withoutSecrets);
      const content = Buffer.from(`${sha256(text)}\n${text}`);
      await writeWhole(pathOf(url), content, { durable: false });
      noteContent(cacheDir, content.length);
    },
  };
}

/**
 * GitHub includes a short-lived token in the description of a repository, and some forges put credentials into
 * addresses.
 */
function withoutSecrets(key: string, value: unknown): unknown {
  if (/token/i.test(key)) return undefined;
  return typeof value === 'string' ? withoutCredentials(value) : value;
}
