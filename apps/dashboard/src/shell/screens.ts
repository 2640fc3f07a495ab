// The screens in the order of the navigation, with their keys.
import {
  Activity,
  Boxes,
  CircleAlert,
  KeyRound,
  ListTree,
  type LucideIcon,
  Network,
  Rows3,
  ScrollText,
  ShieldCheck,
  Users,
} from 'lucide-react';

interface Screen {
  readonly to:
    | '/needs-you'
    | '/agents'
    | '/map'
    | '/events'
    | '/groups'
    | '/plans'
    | '/policy'
    | '/tokens'
    | '/audit'
    | '/system';
  readonly name: string;
  /** After `g`. */
  readonly key: string;
  readonly icon: LucideIcon;
}

export const SCREENS: readonly Screen[] = [
  { to: '/needs-you', name: 'Needs you', key: 'n', icon: CircleAlert },
  { to: '/agents', name: 'Agents', key: 'a', icon: Boxes },
  { to: '/map', name: 'Map', key: 'm', icon: Network },
  { to: '/events', name: 'Events', key: 'e', icon: Rows3 },
  { to: '/groups', name: 'Groups', key: 'r', icon: Users },
  { to: '/plans', name: 'Plans', key: 'p', icon: ListTree },
  { to: '/policy', name: 'Policy', key: 'o', icon: ShieldCheck },
  { to: '/tokens', name: 'Tokens', key: 't', icon: KeyRound },
  { to: '/audit', name: 'Audit', key: 'u', icon: ScrollText },
  { to: '/system', name: 'System', key: 's', icon: Activity },
];
