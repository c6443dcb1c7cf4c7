import { readFileSync } from 'fs';
import { join } from 'path';

/** The text of a file in another language, which is in `assets` beside this file, in the sources and in the package. */
export function asset(name: string): string {
  return readFileSync(join(__dirname, 'assets', name), 'utf8');
}
