import type { Config } from '../../../domain/config/config.schema.ts';

/** Keys whose value is the name of an environment variable with a secret or an address. */
const VARIABLE = /Env$/;
/** Keys whose value is an address. */
const ADDRESS = /^(?:url|apiUrl|sshUrl|endpoint|address|grpc)$/;
/** Keys whose value is a file or folder, or several. */
const PATH = /^(?:root|path|dataDir|cacheDir|modelPath|caFile|secretFile|toolchains|scratch)$/;

/**
 * What a configuration makes Longhaul contact, run and read, one line each, in the order of the file. Found by the
 * names of keys at any depth, so that a section that a later version adds is shown too.
 */
export function reachOf(config: Config): string[] {
  const lines: string[] = [];
  const visit = (value: unknown, at: string): void => {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) visit(item, `${at}[${index}]`);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    const entries = Object.entries(value) as [string, unknown][];
    const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    const addresses = texts.filter(([key]) => ADDRESS.test(key)).map(([, text]) => text);
    const variables = texts.filter(([key]) => VARIABLE.test(key)).map(([, text]) => `$${text}`);
    if (addresses.length > 0) {
      const sent = variables.length === 0 ? '' : `, with what is in ${variables.join(' and ')}`;
      lines.push(`${at === 'gateway' ? 'listens at' : 'contacts'} ${addresses.join(' and ')}${sent} (${at})`);
    } else if (variables.length > 0 && at !== 'weaviate') {
      lines.push(`uses what is in ${variables.join(' and ')} (${at})`);
    }
    for (const [key, text] of texts) {
      if (key === 'command') lines.push(`runs ${text} (${at})`);
      if (key === 'sandbox' && text === 'none') lines.push(`runs programs of repositories without isolation (${at})`);
    }
    for (const [key, item] of entries) {
      if (key === 'network' && item === true) lines.push(`gives programs of repositories the network (${at})`);
      const paths = PATH.test(key) ? [item].flat().filter((path) => typeof path === 'string') : [];
      for (const path of paths) lines.push(`reads ${path} (${at})`);
    }
    for (const [key, item] of entries) visit(item, at === '' ? key : `${at}.${key}`);
  };
  visit(config, '');
  const { key, kubectl, kubeconfig } = config.deploy;
  if (key !== undefined) {
    lines.push(
      `reads ${key} (deploy)`,
      `runs ${kubectl}, with the clusters of ${kubeconfig ?? 'its configuration'} (deploy)`,
    );
  }
  return lines;
}
