import type { RegistryName } from '../../../domain/workspace/registry-package.ts';
import { CRATES_INDEX } from './crates-index.ts';
import { GO_PROXY } from './go-proxy.ts';
import { HEX_REGISTRY } from './hex-registry.ts';
import { NPM_REGISTRY } from './npm-registry.ts';
import { PYTHON_INDEX } from './python-index.ts';
import type { RegistrySource } from './registry-source.ts';

/** How each registry is asked. */
export const REGISTRY_SOURCES: Readonly<Record<RegistryName, RegistrySource>> = {
  npm: NPM_REGISTRY,
  pypi: PYTHON_INDEX,
  go: GO_PROXY,
  crates: CRATES_INDEX,
  hex: HEX_REGISTRY,
};
