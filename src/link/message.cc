#include "link/message.h"

#include <algorithm>

namespace freehold::link {

std::string encode(std::string_view type, codec::Json body) {
  codec::Json json = codec::Json::object();
  json.append("type", type);
  json.append("version", kNewestVersion);
  json.append("body", std::move(body));
  return json.dump();
}

Result<Message> decode(std::string_view bytes) {
  FH_ASSIGN(codec::Json json, codec::Json::parse(bytes));
  Message message{json["type"].as_string(), json["body"]};
  if (message.type.empty()) return Error(ErrorCode::kInvalid, "a message without a type");
  return message;
}

Result<uint32_t> agree(const Hello& theirs, uint32_t oldest, uint32_t newest) {
  uint32_t version = std::min(newest, theirs.newest);
  if (version < std::max(oldest, theirs.oldest)) {
    return Error(
        ErrorCode::kUnsupported,
        fmt::format("this {} speaks versions {} to {} of the link, we speak {} to {}; upgrade the older of the two",
                    theirs.role, theirs.oldest, theirs.newest, oldest, newest));
  }
  return version;
}

}  // namespace freehold::link
