// ExecServer: runs commands as a service for `freehold exec` (link/exec_link.h), and starts jobs for `freehold run`
// (link/job_link.h).
//
// Who may is decided by peer credentials, as for the API: the callback given. A command dies with the connection of
// whoever asked for it. At most kMostCommands at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "agent/launcher.h"
#include "link/exec_link.h"
#include "link/job_link.h"
#include "net/channel.h"
#include "net/connect.h"

namespace freehold::agent {

class ExecServer {
 public:
  static constexpr size_t kMostCommands = 64;
  struct Handlers {
    std::function<Result<void>(const net::PeerCredentials&)> admit;
    struct Started {
      std::string instance;
      Command command;
    };
    // Descriptors are borrowed: standard input, output and error.
    std::function<Result<Started>(const link::Exec&, int input, int output, int error)> start;
    std::function<void(Command)> kill;
    std::function<void(const std::string& instance, const std::string& who, const std::string& what)> record;
    std::function<void(const link::Finish&)> finish;
    std::function<Result<std::string>(const std::string& job, const std::string& who)> run;  // the id of the run
  };
  static Result<std::unique_ptr<ExecServer>> open(runtime::Loop& loop, const std::string& socket_path,
                                                  Handlers handlers);
  ~ExecServer();

  // A run of a job: whoever asked for it is told.
  void run_ended(const model::JobResult& result);

 private:
  struct Client;
  ExecServer(runtime::Loop& loop, os::Fd socket, Handlers handlers);
  void on_connection(int result);
  void on_message(Client& client, net::MessageChannel::Message message);
  Result<void> handle(Client& client, const link::Message& message, std::vector<os::Fd>& fds);
  void on_ended(Client& client);
  void remove(Client& client);

  runtime::Loop& loop_;
  os::Fd socket_;
  Handlers handlers_;
  std::unique_ptr<runtime::Acceptor> acceptor_;
  std::map<Client*, std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Client>> gone_;
};

}  // namespace freehold::agent
