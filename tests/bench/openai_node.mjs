// SPDX-License-Identifier: MIT
// Reads streams of 1,000 chunks with the official SDK and prints the
// nanoseconds of CPU that one chunk cost.
//
//   node openai_node.mjs FOLDER_WITH_NODE_MODULES PORT
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, port] = process.argv.slice(2);
const require = createRequire(resolve(folder, "package.json"));
const { OpenAI } = require("openai");

const client = new OpenAI({
  apiKey: "sk-bench",
  baseURL: `http://127.0.0.1:${port}/bulk/v1`,
  maxRetries: 0,
});

async function read() {
  let chunks = 0;
  const stream = await client.chat.completions.create({
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: "Summarize the ticket, please." }],
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of stream)
    if (chunk.choices[0]?.delta?.content) chunks++;
  if (chunks !== 1000) throw new Error(`${chunks} chunks`);
  return chunks;
}

async function many(count, concurrency) {
  let chunks = 0;
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const read_now = await read(); // not within the sum: others add, too
      chunks += read_now;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return chunks;
}

await many(32, 32);
const before = process.cpuUsage();
const chunks = await many(128, 32);
const taken = process.cpuUsage(before);
console.log((((taken.user + taken.system) * 1000) / chunks).toFixed(0));
