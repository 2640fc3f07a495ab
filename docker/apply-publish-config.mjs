// Rewrites the workspace's packages as `pnpm pack` would: what `publishConfig` says takes the place of what stands beside
// it. `pnpm deploy` leaves them as they are. For the build of an image only.
import { globSync, readFileSync, writeFileSync } from 'node:fs';

for (const path of globSync('packages/*/package.json')) {
  const { publishConfig = {}, ...manifest } = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...manifest, ...publishConfig }, null, 2));
}
