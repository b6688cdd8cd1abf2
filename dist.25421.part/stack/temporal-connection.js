import { messageOf, StackError } from './stack-error.js';
/**
 * The user's own Temporal server: by the environment (`TEMPORAL_ADDRESS`, …), a profile of `temporal.toml`, or
 * `longhaul.yaml`; null when none of them names an address. Throws {@link StackError} when the profile cannot be read.
 */
export async function yourTemporal(choice, env) {
    const { loadClientConnectConfig } = await import('@temporalio/envconfig');
    const overrideEnvVars = {};
    for (const [name, value] of Object.entries(env))
        if (value !== undefined)
            overrideEnvVars[name] = value;
    try {
        const config = loadClientConnectConfig({
            overrideEnvVars,
            ...(choice.profile === undefined ? {} : { profile: choice.profile }),
        });
        const address = config.connectionOptions.address ?? choice.address;
        if (address === undefined)
            return null;
        return {
            connectionOptions: { ...config.connectionOptions, address },
            namespace: config.namespace ?? choice.namespace ?? 'default',
        };
    }
    catch (error) {
        throw new StackError(`Temporal's profile cannot be read: ${messageOf(error)}. Correct temporal.toml or the profile.`, {
            cause: error,
        });
    }
}
//# sourceMappingURL=temporal-connection.js.map