import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../activities/shared/config.ts';
import type { S3BlobsConfig } from '../../domain/config/blobs.schema.ts';
import { poll } from '../../stack/child.ts';
import { fetchGoProgram } from '../../stack/fetch-go-program.ts';
import { choosePorts } from '../../stack/ports.ts';
import pin from './versitygw.json' with { type: 'json' };

/** A real S3 server on loopback, with one bucket whose objects are the files of a folder. */
export interface S3Server {
  readonly blobs: S3BlobsConfig;
  /** Its credentials, as the product takes them from its environment. */
  readonly env: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string };
  /** The bucket's folder. */
  readonly folder: string;
  stop(): Promise<void>;
  /** Starts it again on the same port, with the same objects. */
  start(): Promise<void>;
  /** Stops it permanently and removes all its data. */
  dispose(): Promise<void>;
}

/** Timeout of the first test on a machine, which builds the server. */
export const S3_BUILD_MS = 1_800_000;

/** Starts a server, which Go builds once into the user's cache. */
export async function startS3Server(): Promise<S3Server> {
  const { env } = process;
  const program = await fetchGoProgram(
    { ...pin, name: 'versitygw', title: 'the S3 server of the tests', otherwise: 'or leave these tests out' },
    {
      cacheDir: loadConfig({ env }).cacheDir,
      env,
      onProgress: ({ about, message, passing }) => void (passing || process.stderr.write(`${about}: ${message}\n`)),
    },
  );
  const root = mkdtempSync(join(tmpdir(), 'longhaul-s3-'));
  const bucket = 'longhaul-blobs';
  mkdirSync(join(root, bucket));
  const { s3 } = await choosePorts([{ name: 's3', configured: 0 }], {});
  const endpoint = `http://127.0.0.1:${s3}`;
  const credentials = { AWS_ACCESS_KEY_ID: 'longhaul', AWS_SECRET_ACCESS_KEY: 'longhaul-secret' };
  let running: ReturnType<typeof spawn> | null = null;

  const server: S3Server = {
    blobs: { type: 's3', bucket, endpoint, region: 'us-east-1', prefix: 'team/', forcePathStyle: true },
    env: credentials,
    folder: join(root, bucket),
    async start() {
      running = spawn(program, ['--port', `127.0.0.1:${s3}`, '--quiet', 'posix', root], {
        env: { ROOT_ACCESS_KEY: credentials.AWS_ACCESS_KEY_ID, ROOT_SECRET_KEY: credentials.AWS_SECRET_ACCESS_KEY },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const answers = (): Promise<true | null> =>
        fetch(endpoint).then(
          () => true as const,
          () => null,
        );
      await poll(answers, AbortSignal.timeout(60_000));
    },
    async stop() {
      const stopping = running;
      running = null;
      if (stopping === null || stopping.exitCode !== null) return;
      const ended = once(stopping, 'exit');
      stopping.kill('SIGKILL');
      await ended;
    },
    async dispose() {
      await server.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}
