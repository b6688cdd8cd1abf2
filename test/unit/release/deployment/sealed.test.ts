import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSeal, newKeyFile, readSeal, sealTo } from '../../../../activities/release/deployment/sealed.ts';
import { redact } from '../../../../domain/shared/redact.ts';
import { openRage, type Rage } from '../../../support/age.ts';
import { longhaul } from '../../../support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'longhaul-sealed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The identity of a new file with a key. */
async function newIdentity(): Promise<string> {
  const { stdout } = await longhaul({}, ['environments', 'key']);
  return stdout.split('\n')[2] ?? '';
}

/** The path of a file with this text, which only its owner can read. */
function keyFile(text: string, mode = 0o600): string {
  const path = join(folder, `key-${randomBytes(4).toString('hex')}`);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe('what is sealed', () => {
  const text = Buffer.from('kind: Secret\n');

  test('is opened by the key, and by no other one; it differs each time', async () => {
    const [identity, another] = [await newIdentity(), await newIdentity()];
    const seal = await createSeal({ identity });
    const sealed = await seal.seal(text);
    expect(Buffer.from(await seal.open(sealed))).toEqual(text);
    expect(Buffer.from(await seal.seal(text))).not.toEqual(Buffer.from(sealed));
    await expect((await createSeal({ identity: another })).open(sealed)).rejects.toMatchObject({
      type: 'InvalidConfiguration',
      message: expect.stringContaining('every worker of the role deploy needs the same file') as string,
    });
    await expect(seal.open(text)).rejects.toMatchObject({ type: 'InvalidConfiguration' });
  });

  test('is opened when the key has been replaced by a new one, which is above it in the file', async () => {
    const [identity, earlier] = [await newIdentity(), await newIdentity()];
    const sealed = await (await createSeal({ identity: earlier })).seal(text);
    const seal = await readSeal(keyFile(`# new\n${identity}\n\n# replaced\n${earlier}\n`));
    expect(Buffer.from(await seal.open(sealed))).toEqual(text);
    expect(seal.recipient).toBe((await createSeal({ identity })).recipient);
  });
});

describe('another implementation of age', () => {
  let rage: Rage;
  beforeAll(async () => {
    rage = await openRage();
  });

  test.each([
    ['nothing', Buffer.of()],
    ['a text', Buffer.from('password: grüße\n')],
    // several chunks of 64 KiB
    ['a megabyte', randomBytes(1_000_000)],
  ])('opens what we seal, and the reverse: %s', async (_what, bytes) => {
    const identity = await newIdentity();
    const { recipient, open } = await createSeal({ identity });
    expect(Buffer.from(await rage.decrypt(identity, await sealTo(recipient, bytes)))).toEqual(bytes);
    expect(Buffer.from(await open(await rage.encrypt(recipient, bytes)))).toEqual(bytes);
  });

  test('finds the same public key in a new file', async () => {
    const [created, recipient, identity, end] = (await newKeyFile()).split('\n');
    expect(created).toMatch(/^# created: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(recipient).toBe(`# public key: ${await rage.recipientOf(identity ?? '')}`);
    expect(end).toBe('');
  });
});

describe('the file of deploy.key', () => {
  test('is needed', async () => {
    await expect(readSeal(undefined)).rejects.toThrow(
      /^deploy.key is missing: .* `\(umask 077; longhaul environments key/,
    );
    await expect(readSeal(join(folder, 'none'))).rejects.toThrow(`deploy.key: there is no file ${folder}/none.`);
    await expect(readSeal(folder)).rejects.toThrow('is no file with keys of age');
  });

  test('makes its keys known as secrets', async () => {
    const identity = await newIdentity();
    expect(redact(`key ${identity}`)).toContain(identity);
    await readSeal(keyFile(`${identity}\n`));
    expect(redact(`key ${identity}`)).toBe('key [redacted]');
  });

  test.each([
    ['has no key', '# public key: age1\n', 'has no line AGE-SECRET-KEY-1…'],
    ['has another line', 'password\n', ':1 is neither a comment nor a key'],
    ['has a damaged key', `AGE-SECRET-KEY-1${'Q'.repeat(58)}\n`, 'its checksum is wrong'],
  ])('%s: one sentence says so, without the line', async (_what, text, message) => {
    const failure = await readSeal(keyFile(text)).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      type: 'InvalidConfiguration',
      message: expect.stringContaining(message) as string,
    });
    for (const line of text.trim().split('\n')) expect((failure as Error).message).not.toContain(line);
  });

  test.skipIf(process.platform === 'win32')('must not be readable for everyone', async () => {
    const text = await newKeyFile();
    await expect(readSeal(keyFile(text, 0o644))).rejects.toThrow(
      /every user of the machine can read .*: run `chmod 600`/,
    );
    // as a pod has it
    await expect(readSeal(keyFile(text, 0o440))).resolves.toHaveProperty('recipient');
  });
});
