import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { connectAndViewFleet } from '../../catalog/fleet-view.ts';
import { fleetReport } from '../../console/catalog/fleet.ts';
import type { CliContext } from '../../core/context.ts';

/** `longhaul report fleet`: the fleet as one HTML page. */
export async function reportFleet(context: CliContext, { output }: { readonly output: string }): Promise<number> {
  const path = resolve(output);
  const page = fleetReport(await connectAndViewFleet(context));
  mkdirSync(dirname(path), { recursive: true });
  // readers always see a complete page, old or new
  writeFileSync(`${path}.partial`, page);
  renameSync(`${path}.partial`, path);
  context.stdout.write(`${path}\n`);
  return 0;
}
