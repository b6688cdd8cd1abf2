import { createHmac } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { knowSecrets } from '../../../domain/shared/known-secrets.ts';
import { hasCode } from '../../../platform/error-code.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';

/** Contents that only workers of the role `deploy` can read, in the format of age (https://age-encryption.org/v1). */
export interface Seal {
  /** The public key, `age1…`: who has it can seal, and cannot open. */
  readonly recipient: string;
  /** Encrypts. The same bytes become other ones each time. */
  seal(bytes: Uint8Array): Promise<Uint8Array>;
  /** Decrypts. Throws `InvalidConfiguration` for what was sealed with another key. */
  open(bytes: Uint8Array): Promise<Uint8Array>;
  /** The keyed digest (HMAC-SHA-256) of a text, 64 hexadecimal digits: that of a short secret cannot be guessed. */
  readonly digestOf: (text: string) => string;
}

/** The keys of a {@link Seal}, as age writes them: `AGE-SECRET-KEY-1…`. */
export interface SealKeys {
  /** Seals and opens. */
  readonly identity: string;
  /** Open what was sealed before the key was replaced. @default none */
  readonly earlier?: readonly string[];
}

const IDENTITY = /^AGE-SECRET-KEY-1[0-9A-Z]{58}$/;
/** A file with identities has a few lines. */
const MOST_BYTES = 100_000;

/** A seal with these keys. Throws `InvalidConfiguration` for a key that is none. */
export async function createSeal({ identity, earlier = [] }: SealKeys): Promise<Seal> {
  const identities = [identity, ...earlier];
  const [recipient = ''] = await Promise.all(identities.map(recipientOf));
  return {
    recipient,
    seal: async (bytes) => sealTo(recipient, bytes),
    digestOf: (text) => createHmac('sha256', identity).update(text).digest('hex'),
    async open(bytes) {
      const decrypter = new Decrypter();
      for (const each of identities) decrypter.addIdentity(each);
      try {
        return await decrypter.decrypt(bytes);
      } catch (error) {
        throw new LonghaulError(
          'InvalidConfiguration',
          'The key in deploy.key does not open this content: every worker of the role deploy needs the same file, and a replaced key stays in it, below the new one.',
          { cause: error },
        );
      }
    },
  };
}

async function recipientOf(identity: string): Promise<string> {
  try {
    return await identityToRecipient(identity);
  } catch {
    // the message of the library has the key
    throw invalid('deploy.key: a key AGE-SECRET-KEY-1… is damaged: its checksum is wrong.');
  }
}

/** Encrypts for the owner of a public key. */
export async function sealTo(recipient: string, bytes: Uint8Array): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return encrypter.encrypt(bytes);
}

/** The bytes of a blob that is sealed. Throws `BlobNotFound`, `BlobDamaged`, and as {@link Seal.open}. */
export async function openSealed(blobs: BlobStore, seal: Seal, digest: string): Promise<Uint8Array> {
  return seal.open(await buffer(await blobs.open(digest)));
}

/** Seals bytes and stores them; returns the digest of the sealed ones. */
export async function storeSealed(blobs: BlobStore, recipient: string, bytes: Uint8Array): Promise<string> {
  return (await blobs.put(Readable.from([await sealTo(recipient, bytes)]))).digest;
}

/** A new identity, as `age-keygen` writes it into a file. */
export async function newKeyFile(): Promise<string> {
  const identity = await generateX25519Identity();
  const created = new Date().toISOString().replace(/\.\d+/, '');
  return `# created: ${created}\n# public key: ${await identityToRecipient(identity)}\n${identity}\n`;
}

/**
 * The seal of the file that `deploy.key` names: identities, one a line; the first seals. The identities are known as
 * secrets from then on. Throws `InvalidConfiguration` when there is no such file, or everyone may read it.
 */
export async function readSeal(path: string | undefined): Promise<Seal> {
  if (path === undefined) {
    throw invalid(
      'deploy.key is missing: the role deploy needs a key for rendered manifests and for what they replace. Write one with `(umask 077; longhaul environments key > FILE)`, and name the file in longhaul.yaml.',
    );
  }
  const [identity, ...earlier] = identitiesIn(await readKeyFile(path), path);
  if (identity === undefined) {
    throw invalid(`deploy.key: ${path} has no line AGE-SECRET-KEY-1…: write one with \`longhaul environments key\`.`);
  }
  knowSecrets([identity, ...earlier]);
  return createSeal({ identity, earlier });
}

async function readKeyFile(path: string): Promise<string> {
  try {
    const found = await stat(path);
    if (!found.isFile() || found.size > MOST_BYTES) throw invalid(`deploy.key: ${path} is no file with keys of age.`);
    if (process.platform !== 'win32' && (found.mode & 0o007) !== 0) {
      throw invalid(`deploy.key: every user of the machine can read ${path}: run \`chmod 600\` on it.`);
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) throw invalid(`deploy.key: there is no file ${path}.`);
    if (hasCode(error, 'EACCES')) throw invalid(`deploy.key: this process may not read ${path}.`);
    throw error;
  }
}

function identitiesIn(text: string, path: string): readonly string[] {
  const lines = text.split('\n').map((line, at) => ({ text: line.trim(), number: at + 1 }));
  return lines
    .filter((line) => line.text !== '' && !line.text.startsWith('#'))
    .map((line) => {
      if (IDENTITY.test(line.text)) return line.text;
      throw invalid(`deploy.key: ${path}:${line.number} is neither a comment nor a key AGE-SECRET-KEY-1….`);
    });
}

function invalid(message: string): LonghaulError {
  return new LonghaulError('InvalidConfiguration', message);
}
