import { userInfo } from 'node:os';

/** The name of the person at this terminal, as the environment or the system has it. It proves nothing. */
export function userName(env: NodeJS.ProcessEnv): string {
  return env['USER'] || env['LOGNAME'] || accountName();
}

/** The name of the process's account; `unknown` where the system has none for it, as in many containers. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}
