import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import tls from 'node:tls';
import type { Config } from '../../domain/config/config.schema.ts';
import { pick, runProgram } from '../../platform/program.ts';
import { sha256 } from '../../platform/sha256.ts';
import { AUTHORITY_FILES } from './network.ts';
import { writeWhole } from '../../platform/whole-file.ts';

/** The set of the system: Debian, Red Hat, SUSE, Alpine and macOS. */
const SYSTEM_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Read before this process changes its environment: Node trusts the authorities in this file from its start. */
const TRUSTED_FILE = process.env['NODE_EXTRA_CA_CERTS'];

/**
 * Writes the system's authorities and those that the environment names to one file, and lets every variable that is not
 * set yet, and git's, name it. Returns those that the environment names and that Node does not trust yet.
 */
export async function shareAuthorities(cacheDir: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const files = [...new Set(AUTHORITY_FILES.flatMap((name) => env[name] || []))];
  const given = await Promise.all(files.map(async (file) => [file, await certificatesIn(file)] as const));
  named = new Map(given.map(([file, certificates]) => [file, certificates.length]));
  const extra = [...new Set(given.flatMap(([, certificates]) => certificates))];
  if (extra.length === 0) return [];
  const system = SYSTEM_FILES.find((file) => existsSync(file));
  const all = new Set([...(system === undefined ? tls.rootCertificates : await certificatesIn(system)), ...extra]);
  const text = `${[...all].join('\n')}\n`;
  const file = join(cacheDir, 'authorities', `${sha256(text).slice(0, 32)}.pem`);
  if (!existsSync(file)) await writeWhole(file, text, { durable: false });
  env['GIT_SSL_CAINFO'] = file;
  // Go and Rust read the last one
  for (const name of [...AUTHORITY_FILES, 'SSL_CERT_FILE']) env[name] ||= file;
  const trusted = new Set(given.flatMap(([name, certificates]) => (name === TRUSTED_FILE ? certificates : [])));
  return extra.filter((certificate) => !trusted.has(certificate));
}

/** The certificates in a file; none when there is no such file: `doctor` reports that. */
async function certificatesIn(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return (text.match(CERTIFICATE) ?? []).map((certificate) => certificate.replaceAll('\r\n', '\n'));
}

let named: ReadonlyMap<string, number> = new Map();

/** The files that the environment of this process named, and how many authorities are in each: 0 when it is unusable. */
export function namedAuthorities(): ReadonlyMap<string, number> {
  return named;
}

/** Adds authorities to those of all TLS connections of this process. False before Node 22.19, which cannot. */
export function trustInNode(certificates: readonly string[]): boolean {
  if (certificates.length === 0) return true;
  // missing in Node 22.18
  const { setDefaultCACertificates, getCACertificates } = tls as Partial<typeof tls>;
  if (setDefaultCACertificates === undefined || getCACertificates === undefined) return false;
  setDefaultCACertificates([...new Set([...getCACertificates('default'), ...certificates])]);
  return true;
}

/** Sets `GIT_SSL_CAINFO` to what `http.sslCAInfo` of the user's or the system's git configuration says for the forges. */
export async function readGitConfiguration(providers: Config['providers'], env: NodeJS.ProcessEnv): Promise<void> {
  if (env['GIT_SSL_CAINFO']) return;
  const visible = pick(env, ['PATH', 'HOME', 'XDG_CONFIG_HOME', 'GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM']);
  for (const provider of providers) {
    if (!('url' in provider)) continue;
    for (const where of ['--global', '--system']) {
      const args = ['config', where, '--includes', '--type=path', '--get-urlmatch', 'http.sslCAInfo', provider.url];
      const { code, stdout } = await runProgram('git', args, { env: visible, timeoutMs: 10_000 });
      const file = stdout.trim();
      if (code !== 0 || file === '') continue;
      env['GIT_SSL_CAINFO'] = file;
      return;
    }
  }
}
