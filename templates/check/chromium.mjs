// Where Chromium is. As a program it comes before the tests and installs it where it is missing, so that no two of them do at once.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PLACES = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Its file; an error that says what to do, where there is none and none can be installed. */
export function executable() {
  const found = PLACES.find(place => place && existsSync(place));
  if (found) return found;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.error('Chromium is missing: installing it with apt-get.');
    const options = { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
    execFileSync('apt-get', ['update', '-qq'], options);
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-liberation'], options);
    if (existsSync('/usr/bin/chromium')) return '/usr/bin/chromium';
  }
  throw new Error('This check needs Chromium. Install it (Debian: apt-get install chromium fonts-liberation), '
    + 'or name another one in the environment variable CHROMIUM.');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(`Chromium: ${executable()}`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
