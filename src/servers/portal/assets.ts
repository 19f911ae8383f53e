// Serves the stylesheet, the script and the logo under names that change with their content.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { RequestRefused } from './request-refused.ts';

/** Where the pages find each asset. */
export interface AssetPaths {
  readonly stylesheet: string;
  readonly script: string;
  readonly logo: string;
}

const folder = join(import.meta.dirname, 'assets');

/** Reads the assets into memory and serves them; a year's caching is safe as a change changes the name. */
export async function registerAssets(app: FastifyInstance): Promise<AssetPaths> {
  const served = new Map<string, { type: string; content: string }>();

  function serve(name: string, extension: string, type: string, content: string): string {
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
    const file = `${name}-${hash}.${extension}`;
    served.set(file, { type, content });
    return `/assets/${file}`;
  }

  app.get<{ Params: { file: string } }>('/assets/:file', async (request, reply) => {
    const asset = served.get(request.params.file);
    if (asset === undefined) throw new RequestRefused('NoSuchPage', 404, 'There is no such asset.');
    return reply
      .header('cache-control', 'public, max-age=31536000, immutable')
      .type(asset.type)
      .send(asset.content);
  });

  return {
    stylesheet: serve('portal', 'css', 'text/css; charset=utf-8', await stylesheet()),
    script: serve('portal', 'js', 'text/javascript; charset=utf-8', await read('portal.js')),
    logo: serve('logo', 'svg', 'image/svg+xml', await read('logo.svg')),
  };
}

/** The parts one after another in the order of their names: a browser fetches one file. */
async function stylesheet(): Promise<string> {
  const parts = await readdir(join(folder, 'styles'));
  const contents = await Promise.all(parts.toSorted().map((part) => read(join('styles', part))));
  return contents.join('\n');
}

function read(file: string): Promise<string> {
  return readFile(join(folder, file), 'utf8');
}
