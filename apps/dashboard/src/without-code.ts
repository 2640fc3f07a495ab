// Imported before everything else: schemas ask when they are made whether they may make code from text, which the page does not allow
// (Content-Security-Policy).
import { z } from 'zod';

z.config({ jitless: true });
