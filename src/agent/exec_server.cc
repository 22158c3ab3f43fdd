#include "agent/exec_server.h"

#include <fmt/core.h>

#include "base/log.h"
#include "base/text.h"
#include "net/listen.h"

namespace freehold::agent {
namespace {

constexpr size_t kStandardStreams = 3;

}  // namespace

struct ExecServer::Client {
  Client(ExecServer& owner, net::PeerCredentials who) : server(owner), credentials(who) {}
  void on_ended(int) { server.on_ended(*this); }

  ExecServer& server;
  net::PeerCredentials credentials;
  std::unique_ptr<net::MessageChannel> channel;
  std::optional<Command> command;
  std::unique_ptr<runtime::Watcher> watcher;
  std::string run;  // of a job, that it waits for
  bool greeted = false;
};

ExecServer::ExecServer(runtime::Loop& loop, os::Fd socket, Handlers handlers)
    : loop_(loop), socket_(std::move(socket)), handlers_(std::move(handlers)) {
  acceptor_ =
      std::make_unique<runtime::Acceptor>(loop_, socket_.get(), runtime::complete<&ExecServer::on_connection>(this));
}

ExecServer::~ExecServer() {
  for (auto& [key, client] : clients_) {
    if (client->command) handlers_.kill(*std::move(client->command));
  }
}

Result<std::unique_ptr<ExecServer>> ExecServer::open(runtime::Loop& loop, const std::string& socket_path,
                                                     Handlers handlers) {
  FH_ASSIGN(os::Fd socket, net::listen_unix(socket_path, 0666));
  return std::unique_ptr<ExecServer>(new ExecServer(loop, std::move(socket), std::move(handlers)));
}

void ExecServer::on_connection(int result) {
  gone_.clear();
  if (result < 0) return;
  os::Fd connection(result);
  auto credentials = net::peer_credentials(connection.get());
  if (!credentials) return;
  // Who is not admitted is told so at hello, and must not hold the places of those who are.
  size_t most = handlers_.admit(*credentials).ok() ? kMostCommands : kMostCommands / 2;
  if (clients_.size() >= most) return;
  auto client = std::make_unique<Client>(*this, *credentials);
  Client* key = client.get();
  client->channel = std::make_unique<net::MessageChannel>(
      loop_, std::move(connection),
      net::MessageChannel::Handlers{
          [this, key](net::MessageChannel::Message message) { on_message(*key, std::move(message)); },
          [this, key](const Error&) { remove(*key); }});
  clients_.emplace(key, std::move(client));
}

void ExecServer::on_message(Client& client, net::MessageChannel::Message message) {
  auto decoded = link::decode(message.bytes);
  auto handled = decoded ? handle(client, *decoded, message.fds) : Result<void>(decoded.error());
  if (handled) return;
  (void)client.channel->send(link::encode(link::kRefused, link::Refused{handled.error().message()})).ok();
}

Result<void> ExecServer::handle(Client& client, const link::Message& message, std::vector<os::Fd>& fds) {
  if (message.type == link::kHello) {
    FH_ASSIGN(link::Hello hello, codec::from_json<link::Hello>(message.body));
    FH_TRY(link::agree(hello));
    FH_TRY(handlers_.admit(client.credentials));
    client.greeted = true;
    return {};
  }
  if (!client.greeted) return Error(ErrorCode::kDenied, "not admitted");
  if (message.type == link::kExecSignal && client.command) {
    FH_ASSIGN(link::ExecSignal signal, codec::from_json<link::ExecSignal>(message.body));
    return os::signal_process(client.command->pidfd, signal.signal);
  }
  if (message.type == link::kFinish) {
    FH_ASSIGN(link::Finish finish, codec::from_json<link::Finish>(message.body));
    handlers_.finish(finish);
    return {};
  }
  if (message.type == link::kRunJob) {
    FH_ASSIGN(link::RunJob asked, codec::from_json<link::RunJob>(message.body));
    FH_ASSIGN(client.run, handlers_.run(asked.job, fmt::format("uid {}", client.credentials.uid)));
    return client.channel->send(link::encode(link::kRunStarted, link::RunStarted{client.run}));
  }
  if (message.type != link::kExec || client.command) return {};
  FH_ASSIGN(link::Exec exec, codec::from_json<link::Exec>(message.body));
  if (exec.words.empty() || exec.words.size() > link::Exec::kMostWords)
    return Error(ErrorCode::kInvalid, "a command has one word at least");
  if (fds.size() != kStandardStreams) return Error(ErrorCode::kInvalid, "exec comes with three descriptors");
  auto launched = handlers_.start(exec, fds[0].get(), fds[1].get(), fds[2].get());
  if (!launched && (launched.error().code() == ErrorCode::kNotFound || launched.error().code() == ErrorCode::kDenied)) {
    // As a shell says it: 127 for a command that is not there, 126 for one that may not be run.
    model::Exit exit{.code = launched.error().code() == ErrorCode::kNotFound ? 127 : 126,
                     .failure = launched.error().message()};
    return client.channel->send(link::encode(link::kExecEnded, link::ExecEnded{std::move(exit)}));
  }
  if (!launched) return launched.error();
  Handlers::Started& started = *launched;
  client.command = std::move(started.command);
  client.watcher = std::make_unique<runtime::Watcher>(loop_, client.command->pidfd.get(),
                                                      runtime::complete<&Client::on_ended>(&client));
  // The words may hold secrets: only the program is written down.
  handlers_.record(started.instance, fmt::format("uid {}", client.credentials.uid), exec.words.front());
  return client.channel->send(
      link::encode(link::kExecStarted, link::ExecStarted{started.instance, client.command->process.pid}));
}

void ExecServer::on_ended(Client& client) {
  auto exit = Launcher::finished(*client.command);
  if (!exit) return;
  client.watcher.reset();
  client.command.reset();
  (void)client.channel->send(link::encode(link::kExecEnded, link::ExecEnded{*std::move(exit)})).ok();
}

void ExecServer::run_ended(const model::JobResult& result) {
  for (auto& [key, client] : clients_) {
    if (client->run != result.run.id) continue;
    (void)client->channel->send(link::encode(link::kRunEnded, link::RunEnded{result})).ok();
  }
}

void ExecServer::remove(Client& client) {
  client.watcher.reset();
  if (client.command) handlers_.kill(*std::move(client.command));
  client.command.reset();
  auto found = clients_.find(&client);
  if (found == clients_.end()) return;
  gone_.push_back(std::move(found->second));  // its channel is calling us: it goes with the next connection
  clients_.erase(found);
}

}  // namespace freehold::agent
