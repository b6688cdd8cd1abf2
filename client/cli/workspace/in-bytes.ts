import type { DiskUse } from '../../../activities/workspace/disk-use.ts';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Space for people: `1.2 GiB`, and `1.2 GiB + 300.0 MiB shared` with what other folders have, too. */
export function inBytes({ bytes, shared }: DiskUse): string {
  return shared === 0 ? inUnits(bytes) : `${inUnits(bytes)} + ${inUnits(shared)} shared`;
}

function inUnits(bytes: number): string {
  const unit = Math.min(bytes === 0 ? 0 : Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  return `${(bytes / 1_024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${UNITS[unit]}`;
}
