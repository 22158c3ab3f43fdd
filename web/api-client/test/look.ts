// What the end-to-end test runs: ADDRESS TOKEN -> a line of JSON with what it saw. Each use is held to its type by tsc.
import { Freehold, Refusal, moment } from "../src/client.js";

const [address, token] = process.argv.slice(2);
const api = new Freehold(address!, token);

const status = await api.ask("get", "/v1/status");
const generations = await api.ask("get", "/v1/generations");
const current = await api.ask("get", "/v1/generations/{generation}", { path: { generation: "current" } });
const events = await api.ask("get", "/v1/events", { query: { last: 2 } });
const change = await api.ask("post", "/v1/services/{service}/scale", { path: { service: "web" }, body: { replicas: 1 } });

const refused = await api.ask("get", "/v1/diff", { query: { from: 1, to: 99 } }).catch((error: unknown) => error);
if (!(refused instanceof Refusal)) throw new Error("there is no generation 99");

// @ts-expect-error: a service that is to be scaled is named
void (() => api.ask("post", "/v1/services/{service}/scale", { body: { replicas: 1 } }));
// @ts-expect-error: nothing is there
void (() => api.ask("get", "/v1/nothing"));
// @ts-expect-error: no such field
void status.organization;

console.log(JSON.stringify({
  organisation: status.organisation,
  states: status.services.map((service) => service.state),
  generations: generations.map((each) => each.number),
  created: moment(current.created).toISOString(),
  events: String(events).trim().split("\n").length,
  scaled: change.rollout > 0,
  refused: [refused.status, refused.problem.code],
}));
