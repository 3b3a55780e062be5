// Runs a connector component in Node.js (`docs/embedding.md`): records as JSON lines on stdout, telemetry on stderr,
// the offset in a file. usage: node run.mjs CONNECTOR.json OFFSET_FILE [ALLOWED_ORIGIN...]

import { open, readFile, rename } from 'node:fs/promises';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { instantiate } from './target/salesforce-pushtopic.js';
import { wasi } from './wasi.mjs';

// How long one poll may block this thread, and so how late a signal is noticed.
const POLL_MAX_WAIT_MS = 500;
const CLOSE_MAX_WAIT_MS = 2_000;

const [connectorFile, offsetFile, ...origins] = process.argv.slice(2);
if (!offsetFile) {
  console.error('usage: node run.mjs CONNECTOR.json OFFSET_FILE [ALLOWED_ORIGIN...]');
  process.exit(2);
}
const connector = JSON.parse(await readFile(connectorFile, 'utf8'));
const config = Object.entries(connector.config ?? connector).map(([name, value]) => [name, String(value)]);

// What the component hands over during a poll. Everything is printed before the next poll: that bounds it.
let taken = [];
const producer = {
  send(batch) {
    taken.push(...batch);
  },
};

let secrets = [];
const masked = (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, '******'), text);
const telemetry = {
  log(level, event, message, fields) {
    const shown = fields.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(' ');
    console.error(masked(`${level} ${event}: ${message} ${shown}`.trimEnd()));
  },
  counterAdd() {},
  gaugeSet() {},
};

// The host decides when code is compiled; `cache` keeps it for further instances.
const cache = new Map();
function compile(path) {
  if (!cache.has(path)) {
    cache.set(path, readFile(new URL(`./target/${path}`, import.meta.url)).then((code) => WebAssembly.compile(code)));
  }
  return cache.get(path);
}

const imports = (network) => ({
  ...wasi(network),
  'tributary:connector/producer': producer,
  'tributary:connector/telemetry': telemetry,
});

// An instance that may connect nowhere says what it is; the one that works is made with what it asked for.
const description = (await instantiate(compile, imports([]))).source.describe();
console.error(`${description.classes[0]} ${description.version}: ${description.summary}`);
const passwords = new Set(description.config.filter((key) => key.configType === 'password').map((key) => key.name));
secrets = config.filter(([name, value]) => passwords.has(name) && value).map(([, value]) => value);
const { source } = await instantiate(compile, imports([...description.network, ...origins]));

const findings = source.validate(config);
for (const { name, errors, warnings } of findings) {
  for (const text of errors) console.error(`error ${name}: ${text}`);
  for (const text of warnings) console.error(`warn ${name}: ${text}`);
}
if (findings.some(({ errors }) => errors.length > 0)) process.exit(1);

// Stores an offset so that a crash leaves the old one or the new one. 64-bit integers go as text.
async function store(offset) {
  const file = await open(`${offsetFile}.new`, 'w');
  await file.writeFile(JSON.stringify(offset, (_, value) => (typeof value === 'bigint' ? `${value}` : value)));
  await file.sync();
  await file.close();
  await rename(`${offsetFile}.new`, offsetFile);
}

async function load() {
  const text = await readFile(offsetFile, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const revive = (_, value) => (value?.tag === 'integer' ? { ...value, val: BigInt(value.val) } : value);
  return text && JSON.parse(text, revive);
}

const text = (bytes) => (bytes === undefined ? null : new TextDecoder().decode(bytes));

// Prints records and waits until stdout has them. A producer on Kafka belongs here: it waits for every acknowledgement.
async function publish(records) {
  const lines = records.map(({ topic, key, value, timestampMs }) =>
    JSON.stringify({ topic, key: text(key), value: text(value), timestamp: timestampMs && Number(timestampMs) }),
  );
  await new Promise((resolve, reject) => {
    process.stdout.write(lines.map((line) => `${line}\n`).join(''), (error) => (error ? reject(error) : resolve()));
  });
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());

try {
  source.configure(config, await load());
  while (!stop.signal.aborted) {
    const { sent, offset, nextPollAfterMs } = source.poll(POLL_MAX_WAIT_MS);
    if (sent > 0) {
      await publish(taken);
      taken = [];
      // Only now: everything that was sent before this offset has been written.
      await store(offset);
      source.commitOffset(offset);
    }
    // A poll blocks the thread; signals are noticed here.
    if (nextPollAfterMs === 0) await setImmediate();
    else await setTimeout(nextPollAfterMs, undefined, { signal: stop.signal }).catch(() => {});
  }
  source.close(CLOSE_MAX_WAIT_MS);
} catch (error) {
  // What the component returned is in `payload`; the rest is a trap or a defect, and the instance is not used again.
  const failure = error.payload;
  if (!failure?.kind) throw error;
  console.error(masked(`${failure.kind} ${failure.code}: ${failure.message}`));
  source.close(CLOSE_MAX_WAIT_MS);
  process.exitCode = 1;
}
