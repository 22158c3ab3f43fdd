// FakeNameServer: a name server for tests, on a loop, that answers as it is told. It speaks as much DNS (RFC 1035) as
// the questions of a resolver need. Threads: the loop's.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"
#include "os/fd.h"
#include "runtime/stream.h"

namespace freehold::net {

class FakeNameServer {
 public:
  struct Zone {
    std::vector<std::string> ipv4;  // four bytes each
    std::vector<std::string> ipv6;
    uint32_t ttl_s = 60;
    bool silent = false;
  };

  explicit FakeNameServer(runtime::Loop& loop)
      : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_storage storage;
    const socklen_t length = SocketAddress::loopback(0).to_kernel(storage);
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&storage), length), 0);
    watcher_ =
        std::make_unique<runtime::Watcher>(loop, socket_.get(), runtime::complete<&FakeNameServer::on_ready>(this));
  }
  std::string address() const { return SocketAddress::local_of(socket_.get())->to_string(); }

  std::map<std::string, Zone> zones;
  std::map<std::string, int> asked;  // by name; two for each resolution

 private:
  static constexpr uint16_t kTypeA = 1;
  static constexpr uint16_t kTypeAaaa = 28;

  static void put(std::string& out, uint32_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  }

  void on_ready(int) {
    std::array<char, 1024> buffer{};
    sockaddr_in peer{};
    socklen_t length = sizeof peer;
    auto* general = reinterpret_cast<sockaddr*>(&peer);
    const ssize_t got = recvfrom(socket_.get(), buffer.data(), buffer.size(), 0, general, &length);
    if (got < 12) return;
    const std::string_view query(buffer.data(), static_cast<size_t>(got));
    std::string name;
    size_t at = 12;
    while (at < query.size() && query[at] != 0) {
      const auto size = static_cast<unsigned char>(query[at]);
      name += (name.empty() ? "" : ".") + std::string(query.substr(at + 1, size));
      at += size + 1U;
    }
    const auto type = static_cast<uint16_t>(static_cast<unsigned char>(query.at(at + 2)));
    ++asked[name];
    const auto zone = zones.find(name);
    if (zone != zones.end() && zone->second.silent) return;
    const std::string answer =
        make_answer(query.substr(0, at + 5), type, zone == zones.end() ? nullptr : &zone->second);
    EXPECT_GT(sendto(socket_.get(), answer.data(), answer.size(), 0, general, length), 0);
  }

  // Header and question as asked, then the records.
  static std::string make_answer(std::string_view question, uint16_t type, const Zone* zone) {
    const std::vector<std::string> none;
    const auto& records = zone == nullptr ? none : type == kTypeA ? zone->ipv4 : type == kTypeAaaa ? zone->ipv6 : none;
    std::string out(question.substr(0, 2));
    put(out, zone == nullptr ? 0x8183 : 0x8180, 2);  // a response; "no such name" or none
    put(out, 1, 2);
    put(out, static_cast<uint32_t>(records.size()), 2);
    put(out, 0, 4);
    out += question.substr(12);
    for (const std::string& record : records) {
      put(out, 0xc00c, 2);  // the name in the question
      put(out, type, 2);
      put(out, 1, 2);  // Internet
      put(out, zone->ttl_s, 4);
      put(out, static_cast<uint32_t>(record.size()), 2);
      out += record;
    }
    return out;
  }

  os::Fd socket_;
  std::unique_ptr<runtime::Watcher> watcher_;
};

}  // namespace freehold::net
