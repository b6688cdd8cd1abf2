/** The name of the person at this terminal, as the system has it. It proves nothing. */
export function userName(env: NodeJS.ProcessEnv): string {
  return env['USER'] ?? env['LOGNAME'] ?? 'unknown';
}
