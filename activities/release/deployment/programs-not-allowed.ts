import type { Environment } from '../../../domain/release/contracts/environments.schema.ts';
import type { HookOfService } from '../../../domain/release/deployment/hook.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { JobTools } from '../pipelines/job-runner.ts';

/** A program of a service, and what it asks for. */
interface AskingProgram {
  /** `The hook migrate of api`. */
  readonly about: string;
  readonly network: boolean;
  readonly secrets: readonly string[];
}

/** The programs of hooks of an environment; a hook that it does not have has none. */
export function programsOfHooks(
  { services }: Environment,
  hooks: readonly Pick<HookOfService, 'service' | 'when' | 'hook'>[],
): readonly AskingProgram[] {
  return hooks.flatMap(({ service, when, hook: name }) =>
    (services[service]?.hooks[when] ?? [])
      .filter((hook) => hook.name === name)
      .map(({ network, secrets }) => ({ about: `The hook ${name} of ${service}`, network, secrets })),
  );
}

/** The programs of health checks of these services. */
export function programsOfChecks({ services }: Environment, names: readonly string[]): readonly AskingProgram[] {
  return names.flatMap((service) =>
    (services[service]?.health ?? [])
      .filter(({ http }) => http === undefined)
      .map(({ name, network, secrets }) => ({ about: `The health check ${name} of ${service}`, network, secrets })),
  );
}

/** What this worker would refuse to these programs of a repository, a sentence each. */
export function programsNotAllowed(
  { sandbox, secrets }: Pick<JobTools, 'sandbox' | 'secrets'>,
  repository: string,
  programs: readonly AskingProgram[],
): readonly string[] {
  const problems = programs.flatMap(({ about, network, secrets: names }) => [
    ...(network && !sandbox.allowsNetwork
      ? [`${about} asks for a network, and the worker allows none: set network: false there, or pipelines.network.`]
      : []),
    ...names.flatMap((name) => {
      try {
        secrets.valuesFor(repository, [name]);
        return [];
      } catch (error) {
        if (error instanceof LonghaulError) return [`${about}: ${error.message}`];
        throw error;
      }
    }),
  ]);
  return [...new Set(problems)];
}
