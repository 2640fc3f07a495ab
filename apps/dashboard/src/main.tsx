// The page begins: first that schemas make no code, then everything else, which a bundler would otherwise put before it.
import './without-code.ts';
import './styles.css';

const { start } = await import('./start.tsx');
start();
