import { STACK_MARK } from './leftovers.js';
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
 * The environment of an embedded server: what any program needs, and the mark of its stack. The user's tokens are no business
 * of a server, and settings that happen to have a name that it reads would change it.
 */
export function serverEnvironment(env, dataDir) {
    const passed = PASSED_ON.filter((name) => env[name] !== undefined).map((name) => [name, env[name]]);
    return { ...Object.fromEntries(passed), [STACK_MARK]: dataDir };
}
//# sourceMappingURL=server-environment.js.map