import { matchesWildcards } from '../../../domain/git/pattern.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { knowSecrets, LONGEST_SECRET, SHORTEST_SECRET } from '../../../domain/shared/known-secrets.ts';
import type { LoadedConfig } from '../../shared/config.ts';

/** The secrets of this worker that jobs may have. */
export interface JobSecrets {
  /**
   * The values of secrets for a job of a repository, by name. Throws `SecretNotAllowed` for a name that the configuration
   * does not have, or not for this repository; `InvalidConfiguration` when this worker does not have the value.
   */
  valuesFor(repository: string, names: readonly string[]): Readonly<Record<string, string>>;
}

/**
 * Reads the secrets of jobs (`pipelines.secrets`) from the environment of this process, and makes them known, so that no
 * log has them. Throws `InvalidConfiguration` for one that could not be found in a log.
 */
export function createJobSecrets(
  { config: { pipelines } }: Pick<LoadedConfig, 'config'>,
  env: NodeJS.ProcessEnv,
): JobSecrets {
  const secrets = new Map(Object.entries(pipelines.secrets));
  for (const [name, { valueEnv }] of secrets) {
    const { length } = (env[valueEnv] ?? '').trim();
    if (length > 0 && (length < SHORTEST_SECRET || length > LONGEST_SECRET)) {
      throw new LonghaulError(
        'InvalidConfiguration',
        `pipelines.secrets.${name}: the value of ${valueEnv} has ${length} characters. Only secrets of ${SHORTEST_SECRET} to ${LONGEST_SECRET} characters can be found in the output of a job.`,
      );
    }
  }
  knowSecrets([...secrets.values()].flatMap(({ valueEnv }) => env[valueEnv] ?? []));
  return {
    valuesFor: (repository, names) =>
      Object.fromEntries(
        names.map((name) => {
          const secret = secrets.get(name);
          const id = repository.toLowerCase();
          if (!secret?.repositories.some((pattern) => matchesWildcards(pattern.toLowerCase(), id))) {
            throw new LonghaulError('SecretNotAllowed', `The secret ${name} is not allowed for ${repository}.`);
          }
          const value = env[secret.valueEnv];
          if (value !== undefined && value !== '') return [name, value];
          throw new LonghaulError(
            'InvalidConfiguration',
            `pipelines.secrets.${name}: this worker has no value for it: set ${secret.valueEnv} in its environment.`,
          );
        }),
      ),
  };
}
