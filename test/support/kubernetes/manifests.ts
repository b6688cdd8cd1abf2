/** A manifest, or what is read back of one. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Record<string, string>;
  };
  readonly [field: string]: unknown;
}

/** Several manifests as one. */
export function listOf(...items: readonly Manifest[]): Manifest & { readonly items: readonly Manifest[] } {
  return { apiVersion: 'v1', kind: 'List', metadata: { name: '' }, items };
}

/** The pods of a workload called `name`, one container called `app` each, which serves port 8080. */
export function podTemplate(name: string, image: string, spec: object = {}): object {
  const container = { name: 'app', image, ports: [{ containerPort: 8080 }], resources: { requests: { cpu: '100m' } } };
  return { metadata: { labels: { app: name } }, spec: { containers: [container], ...spec } };
}

/** A Deployment, StatefulSet or DaemonSet with {@link podTemplate}. */
export function workload(
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet',
  name: string,
  image: string,
  spec: object = {},
): Manifest {
  const selector = { matchLabels: { app: name } };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: {
      selector,
      template: podTemplate(name, image),
      ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
      ...spec,
    },
  };
}

/** A Job whose container ends as its image says, tried once. */
export function jobOf(name: string, image: string): Manifest {
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: jobSpec(name, image) };
}

/** A CronJob that starts such a Job each minute. */
export function cronJobOf(name: string, image: string): Manifest {
  const spec = { schedule: '* * * * *', jobTemplate: { spec: jobSpec(name, image) } };
  return { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name }, spec };
}

function jobSpec(name: string, image: string): object {
  return { backoffLimit: 0, template: podTemplate(name, image, { restartPolicy: 'Never' }) };
}

/** A Service in front of the pods of the workload of the same name, with as many requests by themselves each second. */
export function serviceOf(name: string, visitors?: number): Manifest {
  const annotations = visitors === undefined ? {} : { 'cluster.test/visitors-per-second': String(visitors) };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, annotations },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
  };
}
