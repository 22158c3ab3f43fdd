// One message between two processes of Freehold: a type, a version of the language, and a body. JSON on the wire, one
// frame each (net/channel.h frames them).
//
// Each side opens with a `hello` that names the oldest and the newest version it speaks; both then use the newest that
// both know. Version N talks to N-1: fields are only added, and a reader skips what it does not know (codec/fields.h).
// Everything from the other side is checked: a message of an unknown type is skipped, one that cannot be read ends the
// connection.
#pragma once

#include <string>
#include <string_view>

#include "codec/fields.h"

namespace freehold::link {

inline constexpr uint32_t kOldestVersion = 1;
inline constexpr uint32_t kNewestVersion = 1;

struct Message {
  std::string type;
  codec::Json body;
};

std::string encode(std::string_view type, codec::Json body);
Result<Message> decode(std::string_view bytes);

template <class T>
std::string encode(std::string_view type, const T& body)
  requires(!std::is_same_v<T, codec::Json>)
{
  return encode(type, codec::to_json(body));
}

inline constexpr std::string_view kHello = "hello";
inline constexpr std::string_view kFinish = "finish";

struct Hello {
  std::string role;  // agent, gateway, cli
  uint32_t oldest = kOldestVersion;
  uint32_t newest = kNewestVersion;
  std::string boot_id;
  uint64_t revision = 0;  // agent: the NodeDesired that it has stored
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, Hello>& hello) {
  v("role", hello.role);
  v("oldest", hello.oldest);
  v("newest", hello.newest);
  v("boot_id", hello.boot_id);
  v("revision", hello.revision);
}

// The version to speak with somebody who said this; kUnsupported, naming both ranges, if there is none.
Result<uint32_t> agree(const Hello& theirs, uint32_t oldest = kOldestVersion, uint32_t newest = kNewestVersion);

}  // namespace freehold::link
