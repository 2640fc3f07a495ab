// `pnpm swarm …`: builds the command line, for `up` also what that starts, and runs it.
await import('./build.ts');
if (process.argv[2] === 'up') await import('./build-up.ts');
await import(new URL('dist/swarm.js', import.meta.url).href);
