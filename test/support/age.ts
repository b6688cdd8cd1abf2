import { readdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { loadConfig } from '../../activities/shared/config.ts';
import { cachedServer } from '../../stack/server-cache.ts';

const VERSION = '1.4.0';
/** Of its wheels for Linux on both processors, and for macOS. */
const CHECKSUMS = [
  '7f4eb0cbc2b4aee5deac9862c47b3895866df5554153951af822e9c581e68558',
  'f868b360ccd3f836326d42b532fae3e8eb8340a88cca0a39c0ae10fce68f6cc5',
  'bcf4177aea91a9f48951db8001c1385baafbae62cc15d691ef43efebaab6b8db',
];

/** The implementation of age in Rust, through Python: independent of the one in the product. */
export interface Rage {
  /** Encrypts for a public key. */
  encrypt(recipient: string, bytes: Uint8Array): Promise<Uint8Array>;
  /** Decrypts with an identity. */
  decrypt(identity: string, bytes: Uint8Array): Promise<Uint8Array>;
  /** The public key of an identity. */
  recipientOf(identity: string): Promise<string>;
}

/** Fetches `pyrage` by pip, once into the user's cache. */
export async function openRage(): Promise<Rage> {
  const make = async (folder: string): Promise<void> => {
    const hashes = CHECKSUMS.map((sum) => ` --hash=sha256:${sum}`).join('');
    await writeFile(join(folder, 'requirements.txt'), `pyrage==${VERSION}${hashes}\n`);
    const options = [
      '--require-hashes',
      '--only-binary=:all:',
      '--no-deps',
      '--no-cache-dir',
      '-r',
      'requirements.txt',
    ];
    await execa('python3', ['-m', 'pip', '-qq', 'download', ...options], { cwd: folder });
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl')) ?? '';
    // Python imports from it
    await rename(join(folder, wheel), join(folder, 'pyrage.zip'));
    await execa('python3', ['-m', 'zipfile', '-e', 'pyrage.zip', '.'], { cwd: folder });
  };
  const wheel = await cachedServer(
    { name: 'pyrage', version: VERSION, program: 'pyrage.zip', make },
    { cacheDir: loadConfig({ env: process.env }).cacheDir, env: process.env, onProgress: () => undefined },
  );
  const python = async (expression: string, args: readonly string[], input: Uint8Array): Promise<Uint8Array> => {
    const program = `import sys, pyrage\nfrom pyrage.x25519 import Identity, Recipient\nput = sys.stdout.buffer.write\ndata = sys.stdin.buffer.read()\n${expression}`;
    const { stdout } = await execa('python3', ['-c', program, ...args], {
      input,
      encoding: 'buffer',
      stripFinalNewline: false,
      env: { PYTHONPATH: dirname(wheel) },
    });
    return stdout;
  };
  const from = 'Identity.from_str(sys.argv[1])';
  return {
    encrypt: (recipient, bytes) =>
      python('put(pyrage.encrypt(data, [Recipient.from_str(sys.argv[1])]))', [recipient], bytes),
    decrypt: (identity, bytes) => python(`put(pyrage.decrypt(data, [${from}]))`, [identity], bytes),
    recipientOf: async (identity) =>
      Buffer.from(await python(`put(str(${from}.to_public()).encode())`, [identity], Buffer.of())).toString('utf8'),
  };
}
