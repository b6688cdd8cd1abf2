import { readFile } from 'node:fs/promises';

/** A write that reached the apiserver, as its audit log has it. Events and leases are not in the log. */
export interface AuditedWrite {
  readonly verb: string;
  /** The user: `admin` for the kubeconfig of the tests, `controllers` and `kubelet` for the cluster itself. */
  readonly user: string;
  /** The client's `User-Agent`: `kubectl/v1.33.13 (linux/amd64) kubernetes/…`. */
  readonly agent: string;
  /** The field manager in the request; null when the request names none. */
  readonly manager: string | null;
  /** True when nothing was to be stored. */
  readonly isDryRun: boolean;
  /** The kind as in `deployments.apps`, or `pods/status`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  /** HTTP status of the answer. */
  readonly code: number;
  /** What was sent; undefined for secrets, config maps and tokens. */
  readonly body: unknown;
}

interface Entry {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly objectRef?: Readonly<
    Record<'resource' | 'subresource' | 'namespace' | 'name' | 'apiGroup', string | undefined>
  >;
  readonly responseStatus?: { readonly code?: number };
  readonly requestObject?: unknown;
}

/** The writes in an audit log so far, in the order in which they ended. The log has a write soon after its answer. */
export async function auditedWrites(file: string): Promise<AuditedWrite[]> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  // the last line may still be written
  return lines
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Entry)
    .filter(({ stage }) => stage === 'ResponseComplete')
    .map(({ verb, requestURI, user, userAgent = '', objectRef, responseStatus, requestObject }) => {
      const query = new URL(requestURI, 'https://cluster').searchParams;
      const kind = [objectRef?.resource ?? '', objectRef?.apiGroup].filter(Boolean).join('.');
      return {
        verb,
        user: user.username,
        agent: userAgent,
        manager: query.get('fieldManager'),
        isDryRun: query.has('dryRun'),
        resource: objectRef?.subresource === undefined ? kind : `${kind}/${objectRef.subresource}`,
        namespace: objectRef?.namespace ?? '',
        name: objectRef?.name ?? '',
        code: responseStatus?.code ?? 0,
        body: requestObject,
      };
    });
}
