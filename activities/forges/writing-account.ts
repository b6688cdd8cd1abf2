/** The settings of a provider that name its secrets. */
interface Secrets {
  readonly name: string;
  readonly tokenEnv?: string | undefined;
  readonly writeTokenEnv?: string | undefined;
  readonly app?: object | undefined;
}

/** A provider with the account that writes in place of the one that reads; the same one when none is configured. */
export function forWriting<Config extends Secrets>(config: Config): Config {
  const { writeTokenEnv } = config;
  return writeTokenEnv === undefined ? config : { ...config, tokenEnv: writeTokenEnv, app: undefined };
}
