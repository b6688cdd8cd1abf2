import type { Environment } from '../contracts/environments.schema.ts';

/** Where the objects of a service are. */
export interface PlaceOfService {
  readonly context: string;
  /** Of objects that name none. */
  readonly namespace: string;
}

type Places = Pick<Environment, 'context' | 'namespace'> & {
  readonly services: Readonly<
    Record<string, { readonly context?: string | undefined; readonly namespace?: string | undefined }>
  >;
};

/** The place of a service: what it names itself, else that of its environment. */
export function placeOfService({ context, namespace, services }: Places, service: string): PlaceOfService {
  const own = Object.hasOwn(services, service) ? services[service] : undefined;
  return { context: own?.context ?? context, namespace: own?.namespace ?? namespace };
}

/** The contexts of an environment, its own first. */
export function contextsOf(environment: Places): readonly string[] {
  const others = Object.keys(environment.services).map((service) => placeOfService(environment, service).context);
  return [...new Set([environment.context, ...others])];
}
