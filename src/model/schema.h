// Every key of freehold.yaml, by section: what it takes, what it means, and whether this version has built it. Internal
// to model; language.h is what others see of it.
//
// The readers refuse what is not listed here, and refuse by name what is not built; `freehold explain`, `freehold
// schema` and the reference in docs/user are written from it. Building a key means: say here what it is, and read it in
// its section.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace freehold::model {

enum class Status { kBuilt, kNotBuilt };

// What may stand behind a key.
enum class Shape : uint8_t {
  kText,
  kCount,      // a whole number
  kNumber,     // with a fraction
  kDuration,   // 15s
  kSize,       // 256MiB
  kRate,       // 5/10m
  kWord,       // one of `keys`
  kCommand,    // a text that is split into words, or a list of words
  kTexts,      // a list of texts
  kSection,    // a mapping with `keys`
  kSections,   // a list of them
  kNamed,      // a mapping from names of the user's own to sections with `keys`
  kNamedText,  // ... to texts
  kNamedWord,  // ... to one of `keys`
  kPort,       // ${PORT} or nothing
  kListen,     // a port, an address with a port, a list of these, or a section with `keys`
  kTarget,     // a service, an upstream outside, or a list of upstreams, each a text or a section with `keys`
};

enum class Need { kOptional, kRequired };

struct Key {
  std::string_view name;
  Status status = Status::kBuilt;
  Shape shape = Shape::kText;
  std::string_view meaning = {};   // a clause: "how many instances run"
  std::string_view fallback = {};  // what holds if it is left out, as written in the file, or in words
  std::string_view example = {};   // of its value
  std::span<const Key> keys = {};
  Need need = Need::kOptional;
};

inline constexpr Status kBuilt = Status::kBuilt;
inline constexpr Status kLater = Status::kNotBuilt;

// ---- values that are words
inline constexpr Key kStrategies[] = {{"rolling"}, {"blue-green", kLater}, {"canary", kLater}};
inline constexpr Key kOnFailure[] = {{"rollback"}, {"hold"}};
inline constexpr Key kWriters[] = {{"one"}, {"many"}};
inline constexpr Key kListenings[] = {{"port"}, {"sockets"}};
inline constexpr Key kSecretForms[] = {{"file"}, {"env"}};
inline constexpr Key kMissed[] = {{"skip"}, {"run"}};
inline constexpr Key kBalances[] = {
    {"round-robin"},  {"least-connections"}, {"weighted", kLater}, {"random-of-two", kLater},
    {"ewma", kLater}, {"source", kLater},    {"hash", kLater},
};

// ---- services
inline constexpr Key kLimitsKeys[] = {
    {"cpu", kBuilt, Shape::kNumber, "how many cores it may use", "none", "0.5"},
    {"memory", kBuilt, Shape::kSize, "how much memory; more ends its instance", "none", "512MiB"},
    {"pids", kBuilt, Shape::kCount, "how many processes and threads", "none", "256"},
    {"files", kBuilt, Shape::kCount, "how many open files each process may have", "none", "8192"},
};
inline constexpr Key kVolumeKeys[] = {
    {"path", kBuilt, Shape::kText, "an absolute path", "a folder that Freehold keeps", "/srv/uploads"},
    {"writers", kBuilt, Shape::kWord, "how many instances may write to it at a time", "one", "one", kWriters},
    {"sensitivity", kLater},
};
inline constexpr Key kHealthKeys[] = {
    {"http", kBuilt, Shape::kText, "a path that answers 2xx or 3xx when it is well", "", "/health"},
    {"tcp", kBuilt, Shape::kPort, "that the port takes connections", "", "${PORT}"},
    {"exec", kBuilt, Shape::kCommand, "a command that ends with 0 when it is well", "", "./bin/check"},
    {"every", kBuilt, Shape::kDuration, "how often it is asked", "15s", "30s"},
    {"timeout", kBuilt, Shape::kDuration, "how long an answer may take; at most `every`", "2s", "5s"},
    {"start", kBuilt, Shape::kDuration, "for how long after its start failures do not count", "60s", "5m"},
    {"healthy_after", kBuilt, Shape::kCount, "so many good answers in a row make it healthy", "1", "2"},
    {"unhealthy_after", kBuilt, Shape::kCount, "so many failures in a row make it unhealthy", "3", "5"},
};
inline constexpr Key kStopKeys[] = {
    {"signal", kBuilt, Shape::kText, "what asks it to end: TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL", "TERM",
     "INT"},
    {"grace", kBuilt, Shape::kDuration, "how long it may take; then all of it is killed", "10s", "30s"},
};
inline constexpr Key kRestartKeys[] = {
    {"backoff", kBuilt, Shape::kDuration, "the wait before the first restart; it doubles", "1s", "2s"},
    {"most", kBuilt, Shape::kDuration, "the longest wait", "1m", "5m"},
    {"crash_loop", kBuilt, Shape::kRate, "so many ends in that time are a crash loop", "5/10m", "3/5m"},
};
inline constexpr Key kDeployKeys[] = {
    {"strategy", kBuilt, Shape::kWord, "how instances are replaced", "rolling", "rolling", kStrategies},
    {"batch", kBuilt, Shape::kCount, "how many are replaced at a time", "1", "2"},
    {"drain", kBuilt, Shape::kDuration, "how long requests in flight may take before they are cut", "30s", "2m"},
    {"deadline", kBuilt, Shape::kDuration, "how long the whole deploy may take; then it has failed", "10m", "30m"},
    {"on_failure", kBuilt, Shape::kWord, "what happens when a deploy fails", "rollback", "hold", kOnFailure},
};
inline constexpr Key kRetriesKeys[] = {
    {"count",
     kBuilt,
     Shape::kCount,
     "how often a run that failed is tried again, 0 to 10",
     "",
     "2",
     {},
     Need::kRequired},
    {"wait", kBuilt, Shape::kDuration, "how long after it, at most 24h", "1m", "5m"},
};
inline constexpr Key kServiceKeys[] = {
    {"run", kBuilt, Shape::kCommand, "the command", "", "./bin/web --port ${PORT}", {}, Need::kRequired},
    {"prepare", kBuilt, Shape::kCommand, "a command that runs once per deploy, before the first new instance", "none",
     "./bin/migrate"},
    {"user", kBuilt, Shape::kText, "auto: a user of its own; root; or the name of a user", "auto", "www-data"},
    {"replicas", kBuilt, Shape::kCount, "how many instances run, 0 to 1000", "1", "3"},
    {"env", kBuilt, Shape::kNamedText, "its environment", "none", "{GREETING: hello}"},
    {"secrets", kBuilt, Shape::kNamedWord, "secrets it gets, as a file in memory or in its environment", "none",
     "{cookie_key: file}", kSecretForms},
    {"limits", kBuilt, Shape::kSection, "what each instance may use at most", "none", "{memory: 512MiB}", kLimitsKeys},
    {"volumes", kBuilt, Shape::kNamed, "folders that outlive its instances", "none", "{data: {writers: one}}",
     kVolumeKeys},
    {"listen", kBuilt, Shape::kWord, "port: it listens on ${PORT} itself; sockets: it is given its socket", "port",
     "sockets", kListenings},
    {"health", kBuilt, Shape::kSection, "how an instance is asked whether it works: exactly one of http, tcp, exec",
     "with ${PORT} in run or env, or a route to it: that it takes connections", "{http: /health}", kHealthKeys},
    {"stop", kBuilt, Shape::kSection, "how an instance is ended", "", "{grace: 30s}", kStopKeys},
    {"restart", kBuilt, Shape::kSection, "what happens when an instance ends by itself", "", "{backoff: 2s}",
     kRestartKeys},
    {"needs", kBuilt, Shape::kTexts, "services that start before it and stop after it", "none", "[database]"},
    {"deploy", kBuilt, Shape::kSection, "how a change of it is brought in", "", "{batch: 2}", kDeployKeys},
    {"schedule", kBuilt, Shape::kText,
     "makes it a job, which runs to its end at these times of the organisation's clocks: hourly, daily or days before "
     "HH:MM, or the five fields of cron",
     "", "daily 02:00"},
    {"retries", kBuilt, Shape::kSection, "of a job: what happens after a run that failed", "none", "{count: 2}",
     kRetriesKeys},
    {"missed", kBuilt, Shape::kWord,
     "of a job: what happens after times that passed while Freehold was not there; run: one run for all of them",
     "skip", "run", kMissed},
    {"image", kLater},
    {"isolation", kLater},
    {"metrics", kLater},
    {"place", kLater},
    {"scale", kLater},
};

// ---- routes
inline constexpr Key kUpstreamKeys[] = {
    {"url", kBuilt, Shape::kText, "where it is", "", "http://10.0.0.9:8080", {}, Need::kRequired},
    {"weight", kBuilt, Shape::kCount, "its share beside the others", "1", "3"},
};
inline constexpr Key kPathKeys[] = {
    {"to", kBuilt, Shape::kTarget, "a service, an upstream outside, or a list of upstreams", "", "web", kUpstreamKeys},
    {"files", kBuilt, Shape::kText, "a folder beside the file, taken along by content", "", "./public"},
    {"redirect", kBuilt, Shape::kText, "an http or https URL, or a path", "", "https://coop.example/new/"},
    {"status", kBuilt, Shape::kCount, "of a redirect: 301, 302, 303, 307 or 308", "308", "302"},
    {"balance", kBuilt, Shape::kWord, "which instance gets a request", "round-robin", "least-connections", kBalances},
    {"limit", kLater},
    {"retries", kLater},
    {"cache", kLater},
    {"sticky", kLater},
    {"eject", kLater},
    {"breaker", kLater},
    {"queue", kLater},
};
inline constexpr Key kRouteKeys[] = {
    {"host", kBuilt, Shape::kText, "a host; *.coop.example is one label more", "any host", "coop.example"},
    {"paths", kBuilt, Shape::kNamed,
     "what is asked for: \"/api/*\" is a prefix, \"/api\" exact, the longest match wins; each has exactly one of to, "
     "files and redirect",
     "", "{\"/*\": {to: web}}", kPathKeys, Need::kRequired},
    {"tcp", kLater},
    {"to", kLater},
    {"allow", kLater},
    {"compress", kLater},
    {"headers", kLater},
    {"cors", kLater},
    {"waf", kLater},
};

// ---- the rest of the file
inline constexpr Key kListenKeys[] = {
    {"http", kBuilt, Shape::kListen, "where it takes HTTP", "", "80"},
    {"https", kLater},
};
inline constexpr Key kGatewayKeys[] = {
    {"listen", kBuilt, Shape::kListen, "a port on every address, an address with a port, or a list of these", "",
     "127.0.0.1:8080", kListenKeys},
    {"cores", kBuilt, Shape::kCount, "how many cores serve", "1", "2"},
    {"tls", kLater},
    {"trusted_proxies", kLater},
    {"deny", kLater},
    {"packet", kLater},
};
inline constexpr Key kSecretsKeys[] = {
    {"store",
     kBuilt,
     Shape::kText,
     "a YAML file of names and values, kept outside of version control",
     "",
     "./secrets.yaml",
     {},
     Need::kRequired},
    {"rotate", kLater},
};
inline constexpr Key kKeepKeys[] = {
    {"for", kBuilt, Shape::kDuration, "how long", "none", "30d"},
    {"size", kBuilt, Shape::kSize, "how much, all together", "logs: 2GiB; events: 64MiB", "10GiB"},
    {"count", kBuilt, Shape::kCount, "how many: lines of logs, events", "logs: none; events: 100000", "1000000"},
};
inline constexpr Key kLogsKeys[] = {
    {"keep", kBuilt, Shape::kSection, "how much of all logs is kept, whichever is reached first; then the oldest goes",
     "2GiB in all, 50MiB of each instance", "{for: 30d, size: 10GiB}", kKeepKeys},
    {"archive", kLater},
};
inline constexpr Key kEventsKeys[] = {
    {"keep", kBuilt, Shape::kSection, "how many events are kept, whichever is reached first; then the oldest goes",
     "100000 and 64MiB", "{count: 1000000, size: 2GiB}", kKeepKeys},
};
inline constexpr Key kFileKeys[] = {
    {"freehold", kBuilt, Shape::kCount, "the version of the language", "", "1", {}, Need::kRequired},
    {"name",
     kBuilt,
     Shape::kText,
     "the organisation: a lower-case letter, then letters, digits, '-'; at most 39",
     "",
     "coop",
     {},
     Need::kRequired},
    {"timezone", kBuilt, Shape::kText, "where its clocks are, by the name of the tz database", "UTC",
     "Atlantic/Reykjavik"},
    {"include", kBuilt, Shape::kTexts, "more files, at or below this one's folder, with services, routes and include",
     "none", "[services/shop.yaml]"},
    {"services", kBuilt, Shape::kNamed, "the programs that run", "none", "{web: {run: ./bin/web}}", kServiceKeys},
    {"gateway", kBuilt, Shape::kSection, "where users arrive", "", "{listen: 80}", kGatewayKeys},
    {"routes", kBuilt, Shape::kSections, "where requests go, by host and path", "none",
     "[{host: coop.example, paths: {\"/*\": {to: web}}}]", kRouteKeys},
    {"secrets", kBuilt, Shape::kSection, "where secrets' values are", "", "{store: ./secrets.yaml}", kSecretsKeys},
    {"logs", kBuilt, Shape::kSection, "what is kept of what services print and the gateway answers", "",
     "{keep: {for: 30d}}", kLogsKeys},
    {"events", kBuilt, Shape::kSection, "what is kept of what happened", "", "{keep: {count: 1000000}}", kEventsKeys},
    {"nodes", kLater},
    {"locations", kLater},
    {"mesh", kLater},
    {"databases", kLater},
    {"caches", kLater},
    {"people", kLater},
    {"config", kLater},
    {"metrics", kLater},
    {"alerts", kLater},
    {"channels", kLater},
    {"notify", kLater},
    {"firewall", kLater},
    {"threats", kLater},
    {"hardening", kLater},
    {"integrity", kLater},
    {"backups", kLater},
    {"maintenance", kLater},
    {"matrix", kLater},
    {"runner", kLater},
    {"costs", kLater},
};
// What an included file may hold of these.
inline constexpr std::string_view kIncludedKeys[] = {"include", "services", "routes"};

}  // namespace freehold::model
