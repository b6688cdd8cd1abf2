import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate authority that no system knows, and the certificate that it issued for a server. */
export interface PrivateAuthority {
  /** The file with the authority's certificate. */
  readonly file: string;
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** Makes an authority in a folder with openssl, and a certificate for `127.0.0.1`, `localhost` and these names. */
export function makeAuthority(folder: string, names: readonly string[] = []): PrivateAuthority {
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '2',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=test-authority',
  );
  openssl('req', ...newKey, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', '/CN=127.0.0.1');
  const subjects = ['IP:127.0.0.1', ...['localhost', ...names].map((name) => `DNS:${name}`)];
  writeFileSync(path('extensions'), `subjectAltName=${subjects.join(',')}\n`);
  const issue = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'extensions'];
  openssl('x509', '-req', '-in', 'request.pem', ...issue, '-out', 'cert.pem');
  return { file: path('ca.pem'), key: readFileSync(path('key.pem')), cert: readFileSync(path('cert.pem')) };
}
