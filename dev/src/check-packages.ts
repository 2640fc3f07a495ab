// What each package would publish, by `npm pack --dry-run`: its entries, and nothing that only tests need.
import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** One glob for tests and what only they need: `*.test*` beside the sources, `test/`, `testing/`. */
const FOR_TESTS = /\.test[.-]|(^|\/)(test|testing|e2e)\//;

const Manifest = z.object({
  name: z.string(),
  private: z.boolean().default(false),
  bin: z.record(z.string(), z.string()).default({}),
  publishConfig: z.object({ exports: z.record(z.string(), z.record(z.string(), z.string())).default({}) }).optional(),
});
const Packed = z.tuple([z.object({ files: z.array(z.object({ path: z.string() })) })]);

/** The faults of the package in `folder`, a line each. */
async function faultsOf(folder: string): Promise<string[]> {
  const manifest = Manifest.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
  if (manifest.private) return [];
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: folder,
  });
  const [{ files }] = Packed.parse(JSON.parse(stdout));
  const paths = new Set(files.map(({ path }) => path));
  const exported = Object.values(manifest.publishConfig?.exports ?? {}).flatMap((targets) => Object.values(targets));
  const entries = [...exported, ...Object.values(manifest.bin)];
  return [
    ...(entries.length === 0 ? ['has neither exports in publishConfig nor bin'] : []),
    ...entries.filter((entry) => !paths.has(entry.replace('./', ''))).map((entry) => `${entry} is not in the package`),
    ...[...paths].filter((path) => FOR_TESTS.test(path)).map((path) => `${path} would be published`),
  ].map((fault) => `${manifest.name}: ${fault}`);
}

const manifests = globSync('{packages,apps}/*/package.json', { cwd: ROOT });
const faults = await Promise.all(manifests.map((manifest) => faultsOf(dirname(join(ROOT, manifest)))));
for (const fault of faults.flat()) console.error(fault);
if (faults.flat().length > 0) process.exitCode = 1;
else console.log(`${manifests.length} packages hold what they should.`);
