/**
 * The environment of an embedded server: what any program needs, and the mark of its stack. The user's tokens are no business
 * of a server, and settings that happen to have a name that it reads would change it.
 */
export declare function serverEnvironment(env: NodeJS.ProcessEnv, dataDir: string): NodeJS.ProcessEnv;
