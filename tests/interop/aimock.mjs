// SPDX-License-Identifier: MIT
// aimock.mjs PACKAGE: an OpenAI-compatible server that is not ours, with the
// answers that interop.c asks for. Prints "listening URL" and ends when its
// standard input does, so that it cannot outlive the test.
import path from "node:path";
import { pathToFileURL } from "node:url";

const entry = path.join(process.argv[2], "dist", "index.js");
const { LLMock } = await import(pathToFileURL(entry).href);
const mock = new LLMock({
  port: 0,
  host: "127.0.0.1",
  chunkSize: 4,
  auth: { apiKeys: ["interop-key"] },
});

const long = "one two three four five six seven eight nine ten";

// Whatever is asked of a model that does not exist.
mock.on({ model: /^no-such-/ }, {
  error: {
    message: "The model does not exist",
    type: "invalid_request_error",
    param: "model",
    code: "model_not_found",
  },
  status: 404,
});

mock.onMessage("hello", {
  content: "Grüße \u{1F600} aus \u2028 dem\nMock \"Server\"\\",
  usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
});
mock.onMessage("think", {
  content: "It is 42.",
  reasoning: "Six times seven is asked for.",
});
mock.onMessage("empty", { content: "" });
mock.onMessage("short", { content: "cut by the limit", finishReason: "length" });

// Tools: two calls at once, then an answer to their results.
mock.on({ toolCallId: "call_b" }, { content: "Oslo is cold, Rome is warm." });
mock.on({ userMessage: "weather", toolName: "get_weather" }, {
  toolCalls: [
    { id: "call_a", name: "get_weather", arguments: { city: "Oslo" } },
    { id: "call_b", name: "get_weather", arguments: { city: "R\u00f4me \"x\"" } },
  ],
});
mock.onMessage("tool first", {
  blocks: [
    { type: "toolCall", id: "call_c", name: "look", arguments: { at: 1 } },
    { type: "text", text: "Looking." },
  ],
});

// What a client sends has to arrive.
mock.on({
  userMessage: "members",
  predicate: (request) =>
    request.seed === 7 && request.temperature === 0.25 &&
    request.metadata?.team === "a/b" && request.x_unknown?.[1] === null &&
    request.messages[0].role === "system" && request.model === "m/with/slash",
}, { content: "All members arrived." });

mock.on({
  userMessage: "json",
  responseFormat: "json_schema",
}, { content: { name: "Ada", age: 36 } });

// Refusals and failures.
for (const [status, type, code] of [
  [400, "invalid_request_error", "bad_value"],
  [400, "invalid_request_error", "context_length_exceeded"],
  [402, "insufficient_quota", "insufficient_quota"],
  [403, "permission_error", "forbidden"],
  [404, "invalid_request_error", "gone"],
  [413, "invalid_request_error", "too_big"],
  [422, "invalid_request_error", "unprocessable"],
  [429, "rate_limit_error", "rate_limit_exceeded"],
  [500, "server_error", "broken"],
  [502, "server_error", "bad_gateway"],
  [503, "overloaded_error", "overloaded"],
  [529, "overloaded_error", "overloaded"],
]) {
  mock.onMessage(`status ${status} ${code}`, {
    error: { message: `this is ${code}`, type, code },
    status,
    ...(status === 429 ? { retryAfter: 7 } : {}),
  });
}
mock.on({ userMessage: "flaky", sequenceIndex: 0 }, {
  error: { message: "not now", type: "server_error" },
  status: 503,
});
mock.on({ userMessage: "flaky" }, { content: "Now." });

// Answers that break off. Without latency all chunks, and the end of the
// connection, would come at once, and the end would overtake the chunks.
mock.onMessage("truncated", { content: long },
  { latency: 20, truncateAfterChunks: 4 });
mock.onMessage("disconnected", { content: long },
  { latency: 30, disconnectAfterMs: 100 });
mock.on({ userMessage: "cut once", sequenceIndex: 0 }, { content: long },
  { latency: 20, truncateAfterChunks: 4 });
mock.on({ userMessage: "cut once" }, { content: long });
mock.onMessage("malformed", { content: long }, { chaos: { malformedRate: 1 } });
mock.onMessage("dropped", { content: long }, { chaos: { dropRate: 1 } });
mock.onMessage("hung up", { content: long }, { chaos: { disconnectRate: 1 } });

// One answer for each of many calls: what the prompt ends with.
mock.onMessage("echo", (request) => ({
  content: request.messages.at(-1).content.repeat(5),
}));

process.stdin.on("end", () => process.exit(0));
process.stdin.resume();
await mock.start();
console.log(`listening ${mock.url}`);
