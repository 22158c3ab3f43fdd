// Where things are below one organisation's state directory: said once, for every process.
//
//   control/     state.db events.db contents/         owned by control, nobody else looks in
//   agent/       desired.json journal instances/<id>/ jobs/ releases/  owned by the agent; instances may pass through
//   files/       static files of routes, read by the gateway
//   volumes/     folders that the platform keeps for services
//   logs/        <service>/<instance>.log; platform/ has the daemons' own
//   keys/        seal (secrets at rest), token (API over TCP)
//   run/         sockets, in a folder of whoever listens there; who may connect is decided by peer credentials, not by
//   the modes of these files
#pragma once

#include <string>

namespace freehold::model {

struct Layout {
  // Folders of logs beside those of services, none of which can have such a name.
  static constexpr const char* kAccessLog = "freehold.gateway";
  static constexpr const char* kPlatformLog = "freehold";

  std::string root;

  std::string control() const { return root + "/control"; }
  std::string contents() const { return root + "/control/contents"; }
  std::string state_database() const { return root + "/control/state.db"; }
  std::string event_database() const { return root + "/control/events.db"; }
  std::string agent() const { return root + "/agent"; }
  std::string instance(const std::string& id) const { return root + "/agent/instances/" + id; }
  std::string instances() const { return root + "/agent/instances"; }
  std::string daemons() const { return root + "/agent/daemons"; }
  std::string jobs() const { return root + "/agent/jobs"; }
  std::string program() const { return root + "/agent/freehold"; }
  std::string user_ids() const { return root + "/agent/uids"; }
  std::string releases() const { return root + "/agent/releases"; }
  std::string journal() const { return root + "/agent/journal"; }
  std::string agent_lock() const { return root + "/agent/lock"; }
  std::string files() const { return root + "/files"; }
  std::string volumes() const { return root + "/volumes"; }
  std::string gateway() const { return root + "/gateway"; }
  std::string access_log() const { return logs() + "/" + kAccessLog; }
  std::string logs() const { return root + "/logs"; }
  std::string platform_logs() const { return logs() + "/" + kPlatformLog; }
  std::string seal_key() const { return root + "/keys/seal"; }
  std::string token() const { return root + "/keys/token"; }
  std::string keys() const { return root + "/keys"; }
  std::string run_of_control() const { return root + "/run/control"; }
  std::string run_of_agent() const { return root + "/run/agent"; }
  std::string api_socket() const { return root + "/run/control/api.sock"; }
  std::string control_socket() const { return root + "/run/control/control.sock"; }
  std::string gateway_socket() const { return root + "/run/agent/gateway.sock"; }
  std::string agent_socket() const { return root + "/run/agent/agent.sock"; }
  std::string policy() const { return root + "/policy.yaml"; }
};

}  // namespace freehold::model
