import { pick } from '../platform/program.ts';
import { STACK_MARK } from './leftovers.ts';

const PASSED_ON = [
  'PATH',
  'HOME',
  'USER',
  'TMPDIR',
  'TZ',
  'LANG',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GOMEMLIMIT',
  'GOMAXPROCS',
];

/**
 * The environment of an embedded server: what any program needs, and the mark of its stack. The user's tokens are not
 * passed on, nor settings that the server would happen to read.
 */
export function serverEnvironment(env: NodeJS.ProcessEnv, dataDir: string): NodeJS.ProcessEnv {
  return { ...sessionEnvironment(env), [STACK_MARK]: dataDir };
}

/** What any program needs of an environment: no tokens, addresses or settings. */
export function sessionEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return pick(env, PASSED_ON);
}
