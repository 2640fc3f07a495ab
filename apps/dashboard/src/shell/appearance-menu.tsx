// The choice of light, dark and high contrast.
import { Contrast } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useStore } from '../swarm/store.ts';
import { appearance, choose, THEMES, type Theme } from './theme.ts';

const NAMES: Record<Theme, string> = { system: 'As the system', light: 'Light', dark: 'Dark' };
const ITEM =
  'relative flex h-8 items-center rounded pr-3 pl-7 outline-none data-[highlighted]:bg-accent-wash select-none';

export function AppearanceMenu() {
  const { theme, highContrast } = useStore(appearance);
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="flex h-8 items-center gap-2.5 rounded px-2 text-soft hover:bg-line/50 hover:text-ink">
        <Contrast className="size-4 shrink-0" aria-hidden="true" />
        <span className="max-md:sr-only">Appearance</span>
      </DropdownMenu.Trigger>
      {/* Not at the end of the document: a menu is part of the navigation. */}
      <DropdownMenu.Content
        align="start"
        side="top"
        sideOffset={4}
        className="z-20 min-w-44 rounded-md border border-line bg-raised p-1 shadow-lg"
      >
        <DropdownMenu.RadioGroup value={theme} onValueChange={(value) => choose({ theme: value as Theme })}>
          {THEMES.map((one) => (
            <DropdownMenu.RadioItem key={one} value={one} className={ITEM}>
              <DropdownMenu.ItemIndicator className="absolute left-2.5">•</DropdownMenu.ItemIndicator>
              {NAMES[one]}
            </DropdownMenu.RadioItem>
          ))}
        </DropdownMenu.RadioGroup>
        <DropdownMenu.Separator className="my-1 h-px bg-line" />
        <DropdownMenu.CheckboxItem
          checked={highContrast}
          onCheckedChange={(checked) => choose({ highContrast: checked })}
          className={ITEM}
        >
          <DropdownMenu.ItemIndicator className="absolute left-2">✓</DropdownMenu.ItemIndicator>
          High contrast
        </DropdownMenu.CheckboxItem>
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}
