import type { RegistryName } from '../../../domain/workspace/registry-package.ts';

/** The public registries. */
const PUBLIC: Readonly<Record<RegistryName, string>> = {
  npm: 'https://registry.npmjs.org',
  pypi: 'https://pypi.org/simple',
  go: 'https://proxy.golang.org',
  crates: 'https://index.crates.io',
  hex: 'https://hex.pm/api',
};

/**
 * Where packages are asked for: the public registries, or those that the variables of the ecosystems' own tools name
 * (`npm_config_registry`, `PIP_INDEX_URL`, `GOPROXY`, `CARGO_REGISTRIES_CRATES_IO_INDEX`, `HEX_API_URL`). Null for one
 * that is switched off (`GOPROXY=off`) or is no HTTP address.
 */
export function registryAddresses(env: NodeJS.ProcessEnv): Readonly<Record<RegistryName, string | null>> {
  const [proxy] = (env['GOPROXY'] ?? '').split(/[,|]/);
  const given: Readonly<Record<RegistryName, string | undefined>> = {
    npm: env['npm_config_registry'],
    pypi: env['PIP_INDEX_URL'],
    go: proxy,
    crates: env['CARGO_REGISTRIES_CRATES_IO_INDEX']?.replace(/^sparse\+/, ''),
    hex: env['HEX_API_URL'],
  };
  const addressOf = (name: RegistryName): string | null => {
    const address = (given[name] || PUBLIC[name]).replace(/\/+$/, '');
    return /^https?:\/\//.test(address) ? address : null;
  };
  return {
    npm: addressOf('npm'),
    pypi: addressOf('pypi'),
    go: addressOf('go'),
    crates: addressOf('crates'),
    hex: addressOf('hex'),
  };
}
