#include "agent/process_workloads.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "agent/filling.h"
#include "base/log.h"
#include "net/listen.h"

namespace freehold::agent {
namespace {

Result<os::Fd> copy_of(const os::Fd& fd) {
  os::Fd copy(fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
  if (!copy) return errno_error("cannot copy a descriptor", errno);
  return copy;
}

bool uses_files(const model::Runtime& runtime) {
  return std::ranges::any_of(runtime.secrets,
                             [](const model::SecretUse& use) { return use.form == model::SecretForm::kFile; });
}

// The socket that an instance is given. Ours is closed once it runs: when the instance is gone its port must refuse, so
// that the gateway asks another one.
Result<os::Fd> open_port(uint16_t port) {
  FH_ASSIGN(os::Fd socket, net::listen_tcp(net::SocketAddress::loopback(port)));
  // As systemd passes it; a program that wants another mode sets it.
  if (fcntl(socket.get(), F_SETFL, 0) != 0) return errno_error("cannot make a socket blocking", errno);
  return socket;
}

}  // namespace

Result<std::optional<UserIds>> ProcessWorkloads::user_for(const model::Runtime& runtime) {
  if (parts_.users == nullptr) {
    if (runtime.user == "auto") return std::optional<UserIds>();
    return Error(ErrorCode::kDenied,
                 fmt::format("service {}: without root it can only run as our own user; remove `user: {}`",
                             runtime.service, runtime.user));
  }
  if (runtime.user == "root") return std::optional(UserIds{0, 0});
  if (runtime.user == "auto") {
    FH_ASSIGN(uid_t id, parts_.users->allocate(runtime.service));
    return std::optional(UserIds{id, static_cast<gid_t>(id)});
  }
  FH_ASSIGN(os::SystemUser user, os::find_user(runtime.user));
  return std::optional(UserIds{user.uid, user.gid});
}

Result<std::map<std::string, std::string>> ProcessWorkloads::volumes_for(const model::Runtime& runtime,
                                                                         const std::optional<UserIds>& user) {
  std::map<std::string, std::string> out;
  for (const model::Volume& volume : runtime.volumes) {
    std::string path =
        volume.path.empty() ? options_.layout.volumes() + "/" + runtime.service + "/" + volume.name : volume.path;
    if (!parts_.disk.exists(path)) {
      FH_TRY(parts_.disk.make_directories(os::parent_path(path), 0711));
      FH_TRY(parts_.disk.make_directories(path, 0700));
      if (user) FH_TRY(parts_.disk.set_owner(path, user->user, user->group));
    }
    FH_ASSIGN(os::FileInfo info, parts_.disk.info(path));
    // A link would let whoever can write beside it decide which folder the service gets.
    if (info.kind != os::FileKind::kDirectory)
      return Error(ErrorCode::kInvalid,
                   fmt::format("volume {} of service {}: {} is not a folder", volume.name, runtime.service, path));
    out[volume.name] = std::move(path);
  }
  return out;
}

Result<std::string> ProcessWorkloads::unseal(const StartRequest& request, const std::string& name) const {
  auto hash = request.runtime.secret_hashes.find(name);
  auto sealed = hash == request.runtime.secret_hashes.end() ? request.sealed_secrets.end()
                                                            : request.sealed_secrets.find(hash->second);
  if (sealed == request.sealed_secrets.end())
    return Error(ErrorCode::kNotFound, fmt::format("the secret {} has no value", name));
  return parts_.sealer.unseal(name, sealed->second);
}

Result<std::string> ProcessWorkloads::lay_out_secrets(const StartRequest& request, const std::optional<UserIds>& user) {
  std::string folder = secrets_of(request.instance.id);
  FH_TRY(parts_.disk.remove_tree(folder));
  if (!uses_files(request.runtime)) return std::string();
  FH_TRY(parts_.disk.make_directories(folder, 0700));
  for (const model::SecretUse& use : request.runtime.secrets) {
    if (use.form != model::SecretForm::kFile) continue;
    FH_ASSIGN(std::string value, unseal(request, use.name));
    std::string path = folder + "/" + use.name;
    FH_ASSIGN(std::unique_ptr<os::WritableFile> file, parts_.disk.create(path, 0400));
    FH_TRY(file->append(value));
    if (user) FH_TRY(parts_.disk.set_owner(path, user->user, user->group));
  }
  if (!user) {
    FH_TRY(parts_.disk.set_mode(folder, 0500));
    return folder;
  }
  // Not its own: an owner could make it writable, and fill it with what we then remove as root.
  FH_TRY(parts_.disk.set_owner(folder, geteuid(), user->group));
  FH_TRY(parts_.disk.set_mode(folder, 0550));
  return folder;
}

Result<LaunchSpec> ProcessWorkloads::spec_for(const StartRequest& request, const std::vector<std::string>& command) {
  const model::Runtime& runtime = request.runtime;
  FH_TRY(check_allowed(options_.policy, runtime, options_.layout.volumes()));
  LaunchSpec spec;
  spec.instance = request.instance.id;
  spec.service = runtime.service;
  spec.folder = folder_of(request.instance.id);
  spec.log_folder = options_.layout.logs() + "/" + runtime.service;
  spec.log = model::log_files(request.logs, kUsualLogFiles);
  spec.limits = runtime.limits;
  FH_ASSIGN(spec.user, user_for(runtime));
  if (spec.user && runtime.user == "auto") spec.user_name = "freehold-" + runtime.service;
  spec.directory = "/";
  if (!runtime.release.empty()) {
    std::optional<gid_t> group;
    if (spec.user) group = spec.user->group;
    FH_ASSIGN(spec.directory, parts_.releases.service_folder(runtime.service, runtime.release, group));
  }
  FillingContext context;
  context.instance = request.instance.id;
  context.port = request.port;
  FH_ASSIGN(context.volume_paths, volumes_for(runtime, spec.user));
  for (const auto& [name, path] : context.volume_paths) spec.volumes.push_back(path);
  context.secret = [&](const std::string& name) { return unseal(request, name); };
  if (uses_files(runtime)) context.secrets_folder = secrets_of(request.instance.id);
  spec.secrets = context.secrets_folder;
  context.temporary_folder = Launcher::can_make_mounts() ? "/tmp" : spec.folder + "/tmp";
  FH_ASSIGN(spec.command, fill_command(command, context));
  FH_ASSIGN(spec.env, fill_environment(runtime, context));
  return spec;
}

Result<void> ProcessWorkloads::make_log_folder(const std::string& folder) {
  if (parts_.disk.exists(folder)) return {};
  FH_TRY(parts_.disk.make_directories(folder, 0750));
  if (!options_.log_group) return {};
  FH_TRY(parts_.disk.set_owner(folder, geteuid(), *options_.log_group));
  return parts_.disk.set_mode(folder, 02750);  // new files get the folder's group
}

Result<RunningProcess> ProcessWorkloads::start(const StartRequest& request) {
  sweep_leftovers();
  bool once = request.instance.wanted == model::Wanted::kOnce;
  FH_ASSIGN(LaunchSpec spec, spec_for(request, once ? request.runtime.prepare : request.runtime.run));
  FH_TRY(lay_out_secrets(request, spec.user));
  FH_TRY(make_log_folder(spec.log_folder));
  os::Fd socket;
  if (request.runtime.listen == model::Listening::kSockets && !once) {
    FH_ASSIGN(socket, open_port(request.port));
    spec.listen = {socket.get()};
  }
  FH_ASSIGN(Running running, parts_.launcher.start(spec));
  FH_ASSIGN(os::Fd ended, copy_of(running.keeper_fd));
  problems_[request.instance.id] = running.problems;
  RunningProcess process{running.child.pid, std::move(ended)};
  running_.insert_or_assign(request.instance.id, std::move(running));
  return process;
}

void ProcessWorkloads::signal(const std::string& id, int signal) {
  auto found = running_.find(id);
  if (found == running_.end()) return;
  auto sent = Launcher::signal(found->second, signal);
  if (!sent && sent.error().code() != ErrorCode::kNotFound)
    log_warning("agent", "{} could not be signalled: {}", id, sent.error().message());
}

void ProcessWorkloads::kill(const std::string& id) {
  auto killed = parts_.launcher.kill_all(folder_of(id));
  if (!killed) log_warning("agent", "{} could not be killed: {}", id, killed.error().message());
}

model::Exit ProcessWorkloads::collect(const std::string& id) {
  auto found = running_.find(id);
  if (found != running_.end()) {
    Launcher::reap(found->second.keeper_fd);
    running_.erase(found);
  }
  problems_.erase(id);
  (void)parts_.launcher.kill_all(folder_of(id)).ok();  // what it started and left behind
  auto exit = parts_.launcher.read_exit(folder_of(id));
  if (exit) return *std::move(exit);
  return parts_.launcher.adopt(folder_of(id)).exit;
}

void ProcessWorkloads::forget(const std::string& id) {
  (void)parts_.disk.remove_tree(secrets_of(id)).ok();
  auto cleaned = parts_.launcher.cleanup(folder_of(id));
  if (!cleaned) leftovers_.push_back(id);
  running_.erase(id);
  problems_.erase(id);
  sweep_leftovers();
}

bool ProcessWorkloads::holds_port(const std::string& id, const model::Runtime& runtime, uint16_t port) {
  if (runtime.listen == model::Listening::kSockets) return true;  // opened by us
  auto listeners = net::find_listeners(port);
  if (!listeners) return true;
  // A user of its own opens its sockets, and nobody else's: no need to look at processes.
  if (parts_.users != nullptr && runtime.user == "auto") {
    auto user = parts_.users->allocate(runtime.service);
    return !user || std::ranges::any_of(*listeners, [&](const net::Listener& each) { return each.owner == *user; });
  }
  return std::ranges::any_of(parts_.launcher.processes(folder_of(id)),
                             [&](const os::ProcessId& each) { return net::holds_one_of(each.pid, *listeners); });
}

void ProcessWorkloads::sweep_leftovers() {
  std::erase_if(leftovers_, [&](const std::string& id) {
    if (running_.contains(id)) return true;
    (void)parts_.launcher.kill_all(folder_of(id)).ok();
    return parts_.launcher.cleanup(folder_of(id)).ok();
  });
}

std::vector<Survivor> ProcessWorkloads::survivors() {
  std::vector<Survivor> out;
  std::set<std::string> known = options_.other_groups;
  auto entries = parts_.disk.list(options_.layout.agent() + "/instances");
  if (entries) {
    for (const os::FileInfo& entry : *entries) {
      known.insert(entry.name);
      Adopted adopted = parts_.launcher.adopt(folder_of(entry.name));
      Survivor survivor{entry.name, {}, {}};
      if (adopted.state == AdoptedState::kRunning) {
        auto ended = copy_of(adopted.running.keeper_fd);
        if (!ended) continue;
        survivor.running = RunningProcess{adopted.running.child.pid, *std::move(ended)};
        running_.insert_or_assign(entry.name, std::move(adopted.running));
      } else if (adopted.state == AdoptedState::kEnded || adopted.state == AdoptedState::kKeeperLost) {
        survivor.exit = std::move(adopted.exit);
      }
      out.push_back(std::move(survivor));
    }
  }
  for (const std::string& orphan : parts_.launcher.sweep(known))
    log_warning("agent", "{} belonged to no instance and was removed", orphan);
  return out;
}

Result<Command> ProcessWorkloads::start_command(const StartRequest& request, const std::vector<std::string>& words,
                                                std::optional<std::string> terminal, int input, int output, int error) {
  FH_ASSIGN(LaunchSpec spec, spec_for(request, {}));
  if (terminal && !terminal->empty()) spec.env["TERM"] = *terminal;
  return parts_.launcher.start_command(spec, words, input, output, error);
}

Result<Command> ProcessWorkloads::start_check(const StartRequest& request, const std::vector<std::string>& command,
                                              int silence) {
  FH_ASSIGN(LaunchSpec spec, spec_for(request, command));
  return parts_.launcher.start_command(spec, spec.command, silence, silence, silence);
}

std::vector<std::string> ProcessWorkloads::problems() const {
  std::set<std::string> each;
  for (const std::string& problem : parts_.launcher.problems()) each.insert(problem);
  if (parts_.users != nullptr && !Launcher::can_make_mounts())
    each.insert(
        "this is a chroot, or a container that may not mount: services share /tmp (each has a TMPDIR of its own), and "
        "their users have no names");
  for (const auto& [id, list] : problems_) each.insert(list.begin(), list.end());
  return {each.begin(), each.end()};
}

}  // namespace freehold::agent
