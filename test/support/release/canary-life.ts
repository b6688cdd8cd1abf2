import { type Manifest, serviceOf, workload } from '../kubernetes/manifests.ts';
import type { DeployedLane, DeployedLife } from './deployed-lives.ts';
import { manifestsIn } from './deployments.ts';

/** A stage of {@link CANARY_LIFE}. */
export type CanaryStage = 'deploy' | 'bad canary' | 'bad share' | 'bad cluster' | 'go back';

/**
 * The life of an environment with three services: `api`, which has a canary by replicas, `shop`, whose canary gets its
 * share of the requests by an HTTPRoute, and `web` in another cluster. The contexts of the clusters are `home` and
 * `abroad`; the first one must know the kind HTTPRoute. The next release goes through all canaries and stays. Of one the
 * canary of `api` does not become ready, of one that of `shop` answers its requests with errors, and of one `web` is not
 * healthy when `shop` has the release: each is put back. In the end people go back to the first release.
 */
export const CANARY_LIFE: DeployedLife<CanaryStage> = {
  stages: {
    deploy: { version: 'v1.1.0' },
    'bad canary': { version: 'v1.2.0', isUndone: true },
    'bad share': { version: 'v1.3.0', isUndone: true },
    'bad cluster': { version: 'v1.4.0', isUndone: true },
    'go back': { version: 'v1.0.0', goBack: true },
  },
  releases: (lane) => ({
    'v1.0.0': { ...contract(lane, 'one'), ...api('one'), ...shop('one'), ...web('one') },
    'v1.1.0': { ...contract(lane, 'two'), ...api('two'), ...shop('two'), ...web('two') },
    'v1.2.0': api('three', '-noimage'),
    'v1.3.0': { ...contract(lane, 'four'), ...api('two'), ...shop('four', '-errors100') },
    'v1.4.0': { ...contract(lane, 'five'), ...shop('five'), ...web('five', '-noimage') },
  }),
};

/** `look`: that of the pods of `shop` which are asked whether they are healthy, also those of its canary alone. */
function contract(
  { name, place }: Pick<DeployedLane, 'name' | 'place'>,
  look: string,
): Readonly<Record<string, string>> {
  const page = `${place.clusters['home']?.service}/${name}/shop-${look}/`;
  return {
    '.longhaul/environments.yaml': `
environments:
  - name: staging
    context: home
    namespace: ${name}
    watch: 1s
    failed_checks: 2
    services:
      api:
        manifests: {folder: k8s/api}
        canary: {steps: [50%], every: 1s}
        ready: 120s
      shop:
        manifests: {folder: k8s/shop}
        needs: [api]
        canary: {steps: [20%, 60%], every: 1s, route: shop}
        # longer than any watch: a healthy canary is asked once, a sick one twice
        health: [{name: page, http: "${page}", interval: 3s}]
        ready: 120s
      web: {context: abroad, manifests: {folder: k8s/web}, needs: [shop], ready: 120s}
`,
  };
}

/** What an image says besides its look is for the stand-in of the kubelet (docs/testing.md). */
function api(look: string, word = ''): Readonly<Record<string, string>> {
  const deployment = workload('Deployment', 'api', `api:${look}${word}`, { replicas: 2 });
  return manifestsIn('k8s/api', settings('api', look), serviceOf('api'), deployment);
}

function shop(look: string, word = ''): Readonly<Record<string, string>> {
  const labels = { app: 'shop', look };
  const container = { name: 'app', image: `shop:${look}${word}`, ports: [{ containerPort: 8080 }] };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  return manifestsIn(
    'k8s/shop',
    settings('shop', look),
    serviceOf('shop'),
    // only pods of this release
    { ...serviceOf(`shop-${look}`), spec: { selector: { look }, ports: [{ port: 80, targetPort: 8080 }] } },
    workload('Deployment', 'shop', '', { replicas: 2, template }),
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'shop' },
      spec: { hostnames: [`${look}.example`], rules: [{ backendRefs: [{ name: 'shop', port: 80 }] }] },
    },
  );
}

function web(look: string, word = ''): Readonly<Record<string, string>> {
  return manifestsIn('k8s/web', settings('web', look), workload('Deployment', 'web', `web:${look}${word}`));
}

function settings(name: string, look: string): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${name}-settings` }, data: { look } };
}
