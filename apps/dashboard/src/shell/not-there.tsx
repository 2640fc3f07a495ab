// An address that no screen has.
import { Link } from '@tanstack/react-router';
import { Empty, ScreenHead } from '../parts/panel.tsx';

export const NotThere = () => (
  <>
    <ScreenHead title="Not found" />
    <Empty title="No screen has this address.">
      <Link to="/needs-you" className="text-accent underline">
        What needs you
      </Link>{' '}
      is the first page.
    </Empty>
  </>
);
