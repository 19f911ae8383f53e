// The commands of the program, each with its settings.
import type { z } from 'zod';
import { readSettings } from '../config/read-settings.ts';
import { createLog } from '../log.ts';
import { serve } from './serve/serve.ts';
import { serveSettings } from './serve/settings.ts';

export interface Invocation {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export interface Command {
  readonly words: readonly string[];
  readonly summary: string;
  readonly settings: z.ZodObject;
  run(invocation: Invocation): Promise<void>;
}

function command<Shape extends z.ZodRawShape>(
  name: string,
  summary: string,
  settings: z.ZodObject<Shape>,
  run: (settings: z.infer<z.ZodObject<Shape>>, signal: AbortSignal) => Promise<void>,
): Command {
  return {
    words: name.split(' '),
    summary,
    settings,
    run: ({ argv, env, signal }) => run(readSettings(settings, { argv, env }), signal),
  };
}

export const COMMANDS: readonly Command[] = [
  command('serve', 'Runs the operator, the portal and the issuer.', serveSettings, (settings, signal) =>
    serve(settings, createLog(settings.logLevel), signal),
  ),
];
