// Says what to do where `node` is too old: npm puts the right one in node_modules, unless install scripts were off.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `Latchkey needs Node 24 or newer, and this is ${process.version}. Run "npm ci" without --ignore-scripts: it brings a Node of its own.`,
  );
  process.exit(1);
}
