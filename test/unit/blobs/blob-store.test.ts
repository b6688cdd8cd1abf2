import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type BlobStore, createBlobStore } from '../../../activities/blobs/blob-store.ts';
import { createFolderObjects } from '../../../activities/blobs/folder-objects.ts';
import { createS3Objects } from '../../../activities/blobs/s3-objects.ts';
import { S3_BUILD_MS, type S3Server, startS3Server } from '../../support/s3-server.ts';

let server: S3Server;
let root: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'longhaul-blobs-'));
  server = await startS3Server();
}, S3_BUILD_MS);

afterAll(async () => {
  await server.dispose();
  rmSync(root, { recursive: true, force: true });
});

/** A store, and the folder in which its objects are files. */
interface Opened {
  readonly blobs: BlobStore;
  readonly folder: string;
  readonly making: string;
}

const KINDS: Record<string, () => Opened> = {
  folder: () => {
    const folder = mkdtempSync(join(root, 'folder-'));
    const making = join(folder, 'making');
    return { blobs: createBlobStore(createFolderObjects(folder), making), folder, making };
  },
  s3: () => {
    const prefix = `${randomBytes(4).toString('hex')}/`;
    const making = mkdtempSync(join(root, 'making-'));
    const blobs = createBlobStore(createS3Objects({ ...server.blobs, prefix }, server.env), making);
    return { blobs, folder: join(server.folder, prefix), making };
  },
};

describe.for(Object.entries(KINDS))('%s', ([, open]) => {
  test('an opened but unread blob releases its connection', async () => {
    const { blobs } = open();
    const { digest } = await blobs.put(chunksOf(randomBytes(4 * 1024 * 1024)));
    const files = (): number => readdirSync('/proc/self/fd').length;
    const before = files();
    // more than the maximum number of connections to a bucket
    for (let n = 0; n < 60; n++) (await blobs.open(digest)).destroy();
    await expect.poll(files, { timeout: 20_000 }).toBeLessThan(before + 20);
    expect(await contentOf(blobs, digest)).toHaveLength(4 * 1024 * 1024);
  });

  test.for([0, 1, 16 * 1024 * 1024, 16 * 1024 * 1024 + 1])('%i bytes come back as they went in', async (size) => {
    const { blobs, making } = open();
    const content = randomBytes(size);
    const digest = sha256(content);
    expect(await blobs.has(digest)).toBe(false);
    expect(await blobs.put(chunksOf(content))).toEqual({ digest, size });
    expect(await blobs.put(chunksOf(content))).toEqual({ digest, size });
    expect(await blobs.has(digest)).toBe(true);
    expect(sha256(await contentOf(blobs, digest))).toBe(digest);
    expect(readdirSync(making)).toEqual([]);
    await blobs.delete(digest);
    await blobs.delete(digest);
    expect(await blobs.has(digest)).toBe(false);
    await expect(blobs.open(digest)).rejects.toMatchObject({
      type: 'BlobNotFound',
      message: `There is no content ${digest} in ${blobs.place}.`,
    });
  });

  test('reading altered or truncated content fails, and storing it again repairs it', async () => {
    const { blobs, folder } = open();
    const content = randomBytes(300_000);
    const { digest } = await blobs.put(chunksOf(content));
    const file = join(folder, 'sha256', digest.slice(0, 2), digest);
    truncateSync(file, 299_999);
    await expect(contentOf(blobs, digest)).rejects.toMatchObject({ type: 'BlobDamaged' });
    appendFileSync(file, 'x');
    const damaged = { type: 'BlobDamaged', message: expect.stringContaining(digest) as string };
    await expect(contentOf(blobs, digest)).rejects.toMatchObject(damaged);
    await blobs.put(chunksOf(content));
    expect(sha256(await contentOf(blobs, digest))).toBe(digest);
  });

  test('a producer that fails leaves nothing', async () => {
    const { blobs, folder, making } = open();
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield* chunksOf(randomBytes(20_000_000));
      throw new Error('the producer failed');
    }
    await expect(blobs.put(failing())).rejects.toThrow('the producer failed');
    expect(readdirSync(making)).toEqual([]);
    expect(existsSync(join(folder, 'sha256'))).toBe(false);
  });

  test('twenty concurrent writers of the same content and twenty of other contents', async () => {
    const { blobs, making } = open();
    const same = randomBytes(100_000);
    const others = Array.from({ length: 20 }, () => randomBytes(100_000));
    const kept = await Promise.all([...others, ...others.map(() => same)].map((each) => blobs.put(chunksOf(each))));
    expect(new Set(kept.map(({ digest }) => digest)).size).toBe(21);
    for (const content of [...others, same])
      expect((await contentOf(blobs, sha256(content))).equals(content)).toBe(true);
    expect(readdirSync(making)).toEqual([]);
  });

  test('records: never rewritten, listed in the order of their names', async () => {
    const { blobs } = open();
    const names = [
      'audit/2026/1.json',
      'audit/2026-old',
      'audit/2026.json',
      'audit/2026/11.json',
      'b',
      'audit/2026/2.json',
    ];
    expect(await blobs.getRecord('audit/2026/1.json')).toBeNull();
    for (const name of names) await blobs.putRecord(name, Buffer.from(name));
    await blobs.put(chunksOf(randomBytes(10)));
    expect(await listOf(blobs, '')).toEqual(names.toSorted());
    expect(await listOf(blobs, 'audit/2026/')).toEqual([
      'audit/2026/1.json',
      'audit/2026/11.json',
      'audit/2026/2.json',
    ]);
    expect(await listOf(blobs, 'nothing/')).toEqual([]);

    await blobs.putRecord('b', Buffer.from('b'));
    await expect(blobs.putRecord('b', Buffer.from('c'))).rejects.toMatchObject({ type: 'RecordExists' });
    expect(Buffer.from((await blobs.getRecord('b')) ?? []).toString()).toBe('b');
    await blobs.deleteRecord('b');
    await blobs.deleteRecord('b');
    expect(await blobs.getRecord('b')).toBeNull();

    const attempts = await Promise.allSettled(
      Array.from({ length: 20 }, (_, at) => blobs.putRecord('contested', Buffer.from(String(at)))),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('more records than S3 lists in one answer', async () => {
    const { blobs } = open();
    const names = Array.from({ length: 1_010 }, (_, at) => `many/${String(at).padStart(4, '0')}`);
    for (let at = 0; at < names.length; at += 50) {
      await Promise.all(names.slice(at, at + 50).map((name) => blobs.putRecord(name, Buffer.from('x'))));
    }
    expect(await listOf(blobs, 'many/')).toEqual(names);
  }, 300_000);

  test.for(['', '/etc/passwd', '../up', 'a/../../b', 'a//b', '.hidden', 'a/', 'a\0b', 'a b', 'x'.repeat(501)])(
    'the record name %j is refused',
    async (name) => {
      const { blobs } = open();
      await expect(blobs.putRecord(name, Buffer.from('x'))).rejects.toThrow('is not a valid record name');
      await expect(blobs.getRecord(name)).rejects.toThrow('is not a valid record name');
      await expect(blobs.deleteRecord(name)).rejects.toThrow('is not a valid record name');
      await expect(blobs.open(name)).rejects.toThrow('is not a SHA-256');
    },
  );

  test('large contents are never in memory as a whole', async () => {
    const { blobs } = open();
    const chunk = randomBytes(1_000_000);
    async function* endless(): AsyncGenerator<Buffer> {
      for (let at = 0; at < 200; at++) yield chunk;
    }
    const before = process.memoryUsage().rss;
    const { digest } = await blobs.put(endless());
    let size = 0;
    for await (const bytes of (await blobs.open(digest)) as AsyncIterable<Buffer>) size += bytes.length;
    expect(size).toBe(200_000_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(120_000_000);
    await blobs.delete(digest);
  }, 120_000);
});

describe('a writer that is killed', () => {
  test('leaves no blob; the next writer removes its partial file, but not that of a running writer', async () => {
    const folder = mkdtempSync(join(root, 'folder-'));
    const making = join(folder, 'making');
    const source = (name: string): string =>
      JSON.stringify(new URL(`../../../activities/blobs/${name}`, import.meta.url));
    const program = `import { createBlobStore } from ${source('blob-store.ts')};
      import { createFolderObjects } from ${source('folder-objects.ts')};
      await createBlobStore(createFolderObjects(${JSON.stringify(folder)}), ${JSON.stringify(making)}).put(process.stdin);`;
    const writer = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    onTestFinished(() => void writer.kill('SIGKILL'));
    writer.stdin.write('the first half');
    const left = (): string[] => readdirSync(making).map((name) => readFileSync(join(making, name), 'utf8'));
    await expect.poll(() => existsSync(making) && left()).toEqual(['the first half']);

    const blobs = createBlobStore(createFolderObjects(folder), making);
    const { digest } = await blobs.put(chunksOf(Buffer.from('whole')));
    expect(left()).toEqual(['the first half']);
    writer.kill('SIGKILL');
    await once(writer, 'exit');
    expect(left()).toEqual(['the first half']);
    await blobs.put(chunksOf(Buffer.from('whole')));
    expect(left()).toEqual([]);
    expect(readdirSync(join(folder, 'sha256'))).toEqual([digest.slice(0, 2)]);
  });
});

describe('an S3 server', () => {
  const other = (change: object, env: NodeJS.ProcessEnv = server.env): BlobStore =>
    createBlobStore(createS3Objects({ ...server.blobs, ...change }, env), mkdtempSync(join(root, 'making-')));
  const EMPTY = sha256(Buffer.alloc(0));

  test('that refuses the keys, lacks the bucket or is down: typed failures', async () => {
    const wrongSecret = other({}, { ...server.env, AWS_SECRET_ACCESS_KEY: 'another' });
    const wrongKey = other({}, { ...server.env, AWS_ACCESS_KEY_ID: 'another' });
    for (const refused of [wrongSecret, wrongKey]) {
      await expect(refused.open(EMPTY)).rejects.toMatchObject({ type: 'AuthenticationFailed' });
      await expect(refused.has(EMPTY)).rejects.toMatchObject({ type: 'AuthenticationFailed' });
      await expect(refused.put(chunksOf(randomBytes(20_000_000)))).rejects.toMatchObject({
        type: 'AuthenticationFailed',
      });
      await expect(listOf(refused, '')).rejects.toMatchObject({ type: 'AuthenticationFailed' });
      await expect(refused.putRecord('a', Buffer.from('a'))).rejects.toMatchObject({ type: 'AuthenticationFailed' });
    }
    const nowhere = other({ bucket: 'another-bucket' });
    await expect(nowhere.open(EMPTY)).rejects.toMatchObject({
      type: 'InvalidConfiguration',
      message: expect.stringContaining('the bucket another-bucket') as string,
    });
    await expect(nowhere.put(chunksOf(Buffer.from('a')))).rejects.toMatchObject({ type: 'InvalidConfiguration' });
    const unreachable = other({ endpoint: 'http://127.0.0.1:9' });
    await expect(unreachable.open(EMPTY)).rejects.toMatchObject({ type: 'ServerUnavailable' });
    await expect(unreachable.put(chunksOf(Buffer.from('a')))).rejects.toMatchObject({ type: 'ServerUnavailable' });
  }, 120_000);

  test('that is killed during a read: a typed failure, never truncated content; after a restart the read succeeds', async () => {
    const blobs = other({ prefix: 'dies/' });
    const content = randomBytes(50_000_000);
    const { digest } = await blobs.put(chunksOf(content));
    const reading = await blobs.open(digest);
    const read = (async () => {
      let size = 0;
      for await (const bytes of reading as AsyncIterable<Buffer>) {
        if (size === 0) await server.stop();
        size += bytes.length;
      }
      return size;
    })();
    await expect(read).rejects.toMatchObject({ type: 'ServerUnavailable' });
    await server.start();
    expect(sha256(await contentOf(blobs, digest))).toBe(digest);
  }, 120_000);

  test('an upload during which the server is killed leaves no blob', async () => {
    const blobs = other({ prefix: 'upload/' });
    const content = randomBytes(80_000_000);
    const uploading = blobs.put(chunksOf(content));
    await expect.poll(() => existsSync(join(server.folder, 'upload')) || parts().length, { interval: 5 }).toBeTruthy();
    await server.stop();
    await expect(uploading).rejects.toMatchObject({ type: 'ServerUnavailable' });
    await server.start();
    expect(await blobs.has(sha256(content))).toBe(false);
    await blobs.put(chunksOf(content));
    expect(sha256(await contentOf(blobs, sha256(content)))).toBe(sha256(content));
  }, 180_000);
});

/** The server's files of incomplete uploads. */
function parts(): string[] {
  const folder = join(server.folder, '.sgwtmp', 'multipart');
  return existsSync(folder) ? readdirSync(folder) : [];
}

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

async function* chunksOf(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += 1_000_003) yield content.subarray(at, at + 1_000_003);
}

async function contentOf(blobs: BlobStore, digest: string): Promise<Buffer> {
  return Buffer.concat((await (await blobs.open(digest)).toArray()) as Buffer[]);
}

async function listOf(blobs: BlobStore, folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const name of blobs.listRecords(folder)) names.push(name);
  return names;
}
