// Every key of freehold.yaml, by section, and whether this version has built it. Internal to model.
//
// A key that is not built is refused by name, never ignored. Building one means: move it here, read it in its section,
// write it into docs/user/file.md.
#pragma once

#include <span>
#include <string_view>

namespace freehold::model {

enum class Status { kBuilt, kNotBuilt };

struct Key {
  std::string_view name;
  Status status = Status::kBuilt;
};

inline constexpr Status kLater = Status::kNotBuilt;

inline constexpr Key kFileKeys[] = {
    {"freehold"},
    {"name"},
    {"timezone"},
    {"include"},
    {"services"},
    {"gateway"},
    {"routes"},
    {"secrets"},
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
    {"logs", kLater},
    {"events", kLater},
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

inline constexpr Key kServiceKeys[] = {
    {"run"},
    {"prepare"},
    {"user"},
    {"replicas"},
    {"env"},
    {"secrets"},
    {"limits"},
    {"volumes"},
    {"health"},
    {"stop"},
    {"restart"},
    {"needs"},
    {"deploy"},
    {"image", kLater},
    {"schedule", kLater},
    {"isolation", kLater},
    {"metrics", kLater},
    {"place", kLater},
    {"scale", kLater},
};
inline constexpr Key kLimitsKeys[] = {{"cpu"}, {"memory"}, {"pids"}, {"files"}};
inline constexpr Key kVolumeKeys[] = {{"path"}, {"writers"}, {"sensitivity", kLater}};
inline constexpr Key kHealthKeys[] = {{"http"},    {"tcp"},   {"exec"},          {"every"},
                                      {"timeout"}, {"start"}, {"healthy_after"}, {"unhealthy_after"}};
inline constexpr Key kStopKeys[] = {{"signal"}, {"grace"}};
inline constexpr Key kRestartKeys[] = {{"backoff"}, {"most"}, {"crash_loop"}};
inline constexpr Key kDeployKeys[] = {{"strategy"}, {"batch"}, {"drain"}, {"deadline"}, {"on_failure"}};

inline constexpr Key kRouteKeys[] = {
    {"host"},
    {"paths"},
    {"tcp", kLater},
    {"to", kLater},
    {"allow", kLater},
    {"compress", kLater},
    {"headers", kLater},
    {"cors", kLater},
    {"waf", kLater},
};
inline constexpr Key kPathKeys[] = {
    {"to"},
    {"files"},
    {"redirect"},
    {"status"},
    {"balance"},
    {"limit", kLater},
    {"retries", kLater},
    {"cache", kLater},
    {"sticky", kLater},
    {"eject", kLater},
    {"breaker", kLater},
    {"queue", kLater},
};
inline constexpr Key kUpstreamKeys[] = {{"url"}, {"weight"}};
inline constexpr Key kGatewayKeys[] = {
    {"listen"}, {"cores"}, {"tls", kLater}, {"trusted_proxies", kLater}, {"deny", kLater}, {"packet", kLater}};
inline constexpr Key kListenKeys[] = {{"http"}, {"https", kLater}};
inline constexpr Key kSecretsKeys[] = {{"store"}, {"rotate", kLater}};

// Values that are words.
inline constexpr Key kStrategies[] = {{"rolling"}, {"blue-green", kLater}, {"canary", kLater}};
inline constexpr Key kOnFailure[] = {{"rollback"}, {"hold"}};
inline constexpr Key kWriters[] = {{"one"}, {"many"}};
inline constexpr Key kSecretForms[] = {{"file"}, {"env"}};
inline constexpr Key kBalances[] = {
    {"round-robin"},  {"least-connections"}, {"weighted", kLater}, {"random-of-two", kLater},
    {"ewma", kLater}, {"source", kLater},    {"hash", kLater},
};

}  // namespace freehold::model
