// `npm run pictures`, while the demo runs: makes the screenshots of docs/images.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Portal } from '../demo/portal-certificate.ts';
import { takePictures, type Sitter } from './take.ts';

const STATE = fileURLToPath(new URL('../../.demo/demo.json', import.meta.url));
const FOLDER = fileURLToPath(new URL('../../docs/images/', import.meta.url));

try {
  const { accounts, ...portal } = JSON.parse(readFileSync(STATE, 'utf8')) as Portal & {
    readonly accounts: readonly [Sitter];
  };
  await takePictures(portal, accounts[0], FOLDER);
} catch (error) {
  console.error(error);
  console.error('It takes a demo that runs: npm run demo');
  process.exitCode = 1;
}
