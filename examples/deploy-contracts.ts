import { stringify } from 'yaml';

/** A version of the shop that is deployed. */
export interface DeployedVersion {
  readonly version: string;
  /** The change that it has. */
  readonly id: string;
  readonly title: string;
  /** The images of its services, whose tags say how their pods behave. */
  readonly api: string;
  readonly web: string;
}

/** A release that is healthy, one whose second service ends as soon as it starts, and one that mends it. */
export const VERSIONS = {
  first: { version: 'v1.0.0', id: 'SHOP-1', title: 'A shop', api: 'api:1', web: 'web:1' },
  broken: { version: 'v1.1.0', id: 'SHOP-2', title: 'A new front page', api: 'api:2', web: 'web:2-crash' },
  mended: { version: 'v1.2.0', id: 'SHOP-3', title: 'A front page that starts', api: 'api:2', web: 'web:3' },
} as const satisfies Readonly<Record<string, DeployedVersion>>;

/** The services of the shop, in the order in which they are deployed. */
export const SERVICES = ['api', 'web'] as const;

/** The environment: `front` is the address of the page that must answer. */
export function environmentsOf(namespace: string, context: string, front: string): string {
  return stringify({
    environments: [
      {
        name: 'staging',
        context,
        namespace,
        watch: '10s',
        services: {
          api: { manifests: { folder: 'k8s/api' } },
          web: {
            needs: ['api'],
            manifests: { folder: 'k8s/web' },
            health: [{ name: 'front page', http: front, interval: '1s' }],
          },
        },
      },
    ],
  });
}

/** The pipeline that proves a change. */
export const PIPELINE = stringify({
  name: 'full-ci',
  steps: [{ name: 'manifests', command: 'test -s k8s/api/all.yaml && test -s k8s/web/all.yaml' }],
});

/** The file of a generation. */
export function generationOf({ version, id, title }: DeployedVersion): string {
  return stringify({
    version,
    description: title,
    changes: [{ type: 'add', id, title }],
    pipeline_template: 'full-ci',
  });
}

/** The manifests of a service. */
export function manifestsOf(name: (typeof SERVICES)[number], { version, ...images }: DeployedVersion): string {
  const labels = { app: name };
  const objects = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${name}-settings` }, data: { version } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name, image: images[name] }] } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    },
  ];
  return objects.map((object) => stringify(object)).join('---\n');
}
