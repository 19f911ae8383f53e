#!/usr/bin/env node
// The program: finds the command, runs it, and turns errors into a line for people and an exit code.
import { describeSettings, SettingsError } from './config/read-settings.ts';
import { COMMANDS } from './commands/commands.ts';
import { LatchkeyError } from './errors.ts';

/** What package.json says, too; npm only warns of it. */
const OLDEST_NODE = 24;
if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  console.error(`latchkey: This is Node ${process.versions.node}. Install Node ${OLDEST_NODE} or newer.`);
  process.exit(1);
}

const [name = '', ...argv] = process.argv.slice(2);
// The longest name first: "keys rotate" before a possible "keys".
const command = COMMANDS.find(({ words }) => words.every((word, index) => word === [name, ...argv][index]));

if (!command || name === '--help') {
  const lines = COMMANDS.map(({ words, summary }) => `  latchkey ${words.join(' ').padEnd(16)} ${summary}`);
  const usage = `Usage: latchkey <command> [flags]\n\n${lines.join('\n')}\n\nlatchkey <command> --help shows its flags.`;
  if (name === '--help' || name === 'help') console.log(usage);
  else console.error(usage);
  process.exitCode = name === '--help' || name === 'help' ? 0 : 2;
} else if (argv.includes('--help')) {
  console.log(
    `latchkey ${command.words.join(' ')}: ${command.summary}\n\n${describeSettings(command.settings)}`,
  );
} else {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  try {
    await command.run({ argv: argv.slice(command.words.length - 1), env: process.env, signal: stop.signal });
  } catch (error) {
    // What Latchkey throws on purpose is written for people; anything else is a bug and shows where.
    console.error(error instanceof LatchkeyError ? `latchkey: ${error.message}` : error);
    process.exitCode = error instanceof SettingsError ? 2 : 1;
  }
}
