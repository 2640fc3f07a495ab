// The screens in the order of the navigation, with their keys.
import { Activity, Boxes, CircleAlert, ListTree, type LucideIcon, Users } from 'lucide-react';

interface Screen {
  readonly to: '/needs-you' | '/agents' | '/groups' | '/plans' | '/system';
  readonly name: string;
  /** After `g`. */
  readonly key: string;
  readonly icon: LucideIcon;
}

export const SCREENS: readonly Screen[] = [
  { to: '/needs-you', name: 'Needs you', key: 'n', icon: CircleAlert },
  { to: '/agents', name: 'Agents', key: 'a', icon: Boxes },
  { to: '/groups', name: 'Groups', key: 'r', icon: Users },
  { to: '/plans', name: 'Plans', key: 'p', icon: ListTree },
  { to: '/system', name: 'System', key: 's', icon: Activity },
];
