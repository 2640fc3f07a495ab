// Light, dark and high contrast: as the system has it, until a person chooses.
import { Store } from '../swarm/store.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];
export interface Appearance {
  readonly theme: Theme;
  readonly highContrast: boolean;
}

const STORED = 'swarm-appearance';

export const appearance = new Store<Appearance>(readStored());

export function choose(change: Partial<Appearance>): void {
  const chosen = { ...appearance.get(), ...change };
  localStorage.setItem(STORED, JSON.stringify(chosen));
  appearance.set(chosen);
}

/** Keeps the document's attributes as chosen; the style sheet does the rest. */
export function followTheme(): void {
  const systemIsDark = matchMedia('(prefers-color-scheme: dark)');
  const systemHasContrast = matchMedia('(prefers-contrast: more)');
  const apply = (): void => {
    const { theme, highContrast } = appearance.get();
    const isDark = theme === 'dark' || (theme === 'system' && systemIsDark.matches);
    document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light';
    document.documentElement.dataset['contrast'] = highContrast || systemHasContrast.matches ? 'high' : 'normal';
  };
  apply();
  appearance.follow(apply);
  systemIsDark.addEventListener('change', apply);
  systemHasContrast.addEventListener('change', apply);
}

function readStored(): Appearance {
  try {
    const { theme, highContrast } = JSON.parse(localStorage.getItem(STORED) ?? '{}') as Record<string, unknown>;
    const known = THEMES.find((one) => one === theme);
    return { theme: known ?? 'system', highContrast: highContrast === true };
  } catch {
    return { theme: 'system', highContrast: false };
  }
}
