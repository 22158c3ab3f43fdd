// What becomes of each key of freehold.yaml when an organisation leaves. A test walks the language and this table: a
// new key needs a line here. Internal to leaving.
#pragma once

#include <string_view>

namespace freehold::leaving {

struct Fate {
  std::string_view key;  // as `freehold explain` writes it: "services.NAME.health.every"
  // What expresses it, as it stands in one of the files; empty if nothing does.
  std::string_view sign = {};
  // The key of the Loss that says what of it is not expressed; empty if all of it is.
  std::string_view loss = {};
  // Why it needs neither: it says how the file is read, and is done with.
  std::string_view gone = {};
};

inline constexpr Fate kFates[] = {
    {"freehold", {}, {}, "the version of the language in which the file is written"},
    {"name", "Description=All of "},
    {"timezone", "Atlantic/Reykjavik", "timezone"},
    {"include", {}, {}, "read as one file"},
    {"services", "[Service]"},
    {"services.NAME.run", "ExecStart="},
    {"services.NAME.prepare", "Type=oneshot", "services.NAME.prepare"},
    {"services.NAME.user", "User="},
    {"services.NAME.replicas", "@20000.service"},
    {"services.NAME.env", "Environment="},
    {"services.NAME.secrets", "LoadCredential="},
    {"services.NAME.limits", "CPUQuota="},
    {"services.NAME.limits.cpu", "CPUQuota="},
    {"services.NAME.limits.memory", "MemoryMax="},
    {"services.NAME.limits.pids", "TasksMax="},
    {"services.NAME.limits.files", "LimitNOFILE="},
    {"services.NAME.volumes", "StateDirectory="},
    {"services.NAME.volumes.NAME.path", "/srv/uploads"},
    {"services.NAME.volumes.NAME.writers", {}, "services.NAME.volumes.NAME.writers"},
    {"services.NAME.listen", "[Socket]"},
    {"services.NAME.health", "ExecStartPost=", "services.NAME.health"},
    {"services.NAME.health.http", "curl", "services.NAME.health"},
    {"services.NAME.health.tcp", "/dev/tcp/", "services.NAME.health"},
    {"services.NAME.health.exec", "bin/check --deep", "services.NAME.health"},
    {"services.NAME.health.every", {}, "services.NAME.health"},
    {"services.NAME.health.timeout", "/usr/bin/timeout", "services.NAME.health"},
    {"services.NAME.health.start", "TimeoutStartSec="},
    {"services.NAME.health.healthy_after", {}, "services.NAME.health"},
    {"services.NAME.health.unhealthy_after", {}, "services.NAME.health"},
    {"services.NAME.stop", "KillMode=mixed"},
    {"services.NAME.stop.signal", "KillSignal="},
    {"services.NAME.stop.grace", "TimeoutStopSec="},
    {"services.NAME.restart", "Restart=always"},
    {"services.NAME.restart.backoff", "RestartSec="},
    {"services.NAME.restart.most", {}, "services.NAME.restart"},
    {"services.NAME.restart.crash_loop", "StartLimitBurst=", "services.NAME.restart"},
    {"services.NAME.needs", "After="},
    {"services.NAME.deploy", {}, "services.NAME.deploy"},
    {"services.NAME.deploy.strategy", {}, "services.NAME.deploy"},
    {"services.NAME.deploy.batch", {}, "services.NAME.deploy"},
    {"services.NAME.deploy.drain", {}, "services.NAME.deploy"},
    {"services.NAME.deploy.deadline", {}, "services.NAME.deploy"},
    {"services.NAME.deploy.on_failure", {}, "services.NAME.deploy"},
    {"services.NAME.schedule", "OnCalendar=", "services.NAME.schedule"},
    {"services.NAME.retries", {}, "services.NAME.retries"},
    {"services.NAME.retries.count", {}, "services.NAME.retries"},
    {"services.NAME.retries.wait", {}, "services.NAME.retries"},
    {"services.NAME.missed", "Persistent=true"},
    {"gateway", "server {"},
    {"gateway.listen", "listen "},
    {"gateway.listen.http", "listen "},
    {"gateway.cores", {}, "gateway.cores"},
    {"routes", "location "},
    {"routes[].host", "server_name "},
    {"routes[].paths", "location ^~ "},
    {"routes[].paths.PATTERN.to", "proxy_pass "},
    {"routes[].paths.PATTERN.to[].url", "server 10.0.0.10:8080", "routes[].paths.PATTERN.to"},
    {"routes[].paths.PATTERN.to[].weight", "weight=3"},
    {"routes[].paths.PATTERN.files", "alias "},
    {"routes[].paths.PATTERN.redirect", "return "},
    {"routes[].paths.PATTERN.status", "return 301 "},
    {"routes[].paths.PATTERN.balance", "least_conn;"},
    {"logs", {}, {}, "the journal keeps what services print, bounded in journald.conf"},
    {"logs.keep", {}, {}, "SystemMaxUse and MaxRetentionSec of journald.conf"},
    {"logs.keep.for", {}, {}, "MaxRetentionSec of journald.conf"},
    {"logs.keep.size", {}, {}, "SystemMaxUse of journald.conf"},
    {"logs.keep.count", {}, {}, "the journal does not count lines"},
    {"events", {}, {}, "what Freehold notes of itself ends with it"},
    {"events.keep", {}, {}, "what Freehold notes of itself ends with it"},
    {"events.keep.for", {}, {}, "what Freehold notes of itself ends with it"},
    {"events.keep.size", {}, {}, "what Freehold notes of itself ends with it"},
    {"events.keep.count", {}, {}, "what Freehold notes of itself ends with it"},
    {"secrets", {}, {}, "its values are exported with --secrets, or described"},
    {"secrets.store", {}, {}, "where values come from at `freehold up`; they are in the state since"},
};

}  // namespace freehold::leaving
