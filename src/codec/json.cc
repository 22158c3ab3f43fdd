#include "codec/json.h"

#include <fmt/core.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace freehold::codec {
namespace {

const std::string kNoString;
const Json::Array kNoItems;
const Json::Object kNoMembers;
const Json kNull;

// Builds a Json from the library's events, so that depth is bounded before anything recurses.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(size_t depth) : depth_(depth) {}

  bool null() override { return add(Json()); }
  bool boolean(bool value) override { return add(Json(value)); }
  bool number_integer(number_integer_t value) override { return add(Json(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<uint64_t>(INT64_MAX)) return add(Json(static_cast<double>(value)));
    return add(Json(static_cast<int64_t>(value)));
  }
  bool number_float(number_float_t value, const string_t&) override { return add(Json(value)); }
  bool string(string_t& value) override { return add(Json(std::move(value))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (stack_.back().value.has(name)) return fail(fmt::format("the member \"{}\" stands twice", name));
    stack_.back().key = std::move(name);
    return true;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return fail(fmt::format("not valid JSON at byte {}", position));
  }

  Json take() { return std::move(result_); }
  const std::string& reason() const { return reason_; }

 private:
  struct Level {
    Json value;
    std::string key;
  };

  bool fail(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }
  bool open(Json value) {
    if (stack_.size() >= depth_) return fail(fmt::format("nested deeper than {} levels", depth_));
    stack_.push_back({std::move(value), {}});
    return true;
  }
  bool close() {
    Json value = std::move(stack_.back().value);
    stack_.pop_back();
    return add(std::move(value));
  }
  bool add(Json value) {
    if (stack_.empty()) {
      result_ = std::move(value);
    } else if (stack_.back().value.is_array()) {
      stack_.back().value.push(std::move(value));
    } else {
      stack_.back().value.append(std::move(stack_.back().key), std::move(value));
    }
    return true;
  }

  size_t depth_;
  std::vector<Level> stack_;
  Json result_;
  std::string reason_;
};

void write_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    char c = text.front();
    size_t length = first_code_point(text).length;
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      length = 1;
    } else if (length > 1) {
      out += text.substr(0, length);
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
    text.remove_prefix(length);
  }
  out += '"';
}

void newline(std::string& out, bool pretty, size_t depth) {
  if (!pretty) return;
  out += '\n';
  out.append(depth * 2, ' ');
}

void write(std::string& out, const Json& value, bool pretty, size_t depth) {
  if (value.is_null()) {
    out += "null";
  } else if (value.is_bool()) {
    out += value.as_bool() ? "true" : "false";
  } else if (value.is_integer()) {
    out += fmt::format("{}", value.as_integer());
  } else if (value.is_number()) {
    // JSON has no infinity and no NaN.
    out += std::isfinite(value.as_number()) ? fmt::format("{}", value.as_number()) : "null";
  } else if (value.is_string()) {
    write_string(out, value.as_string());
  } else if (value.is_array()) {
    out += '[';
    for (const Json& item : value.items()) {
      if (&item != &value.items().front()) out += ',';
      newline(out, pretty, depth + 1);
      write(out, item, pretty, depth + 1);
    }
    if (!value.items().empty()) newline(out, pretty, depth);
    out += ']';
  } else {
    out += '{';
    for (const Json::Member& member : value.members()) {
      if (&member != &value.members().front()) out += ',';
      newline(out, pretty, depth + 1);
      write_string(out, member.first);
      out += pretty ? ": " : ":";
      write(out, member.second, pretty, depth + 1);
    }
    if (!value.members().empty()) newline(out, pretty, depth);
    out += '}';
  }
}

}  // namespace

bool Json::as_bool(bool fallback) const {
  const bool* value = std::get_if<bool>(&value_);
  return value != nullptr ? *value : fallback;
}

int64_t Json::as_integer(int64_t fallback) const {
  const int64_t* value = std::get_if<int64_t>(&value_);
  return value != nullptr ? *value : fallback;
}

double Json::as_number(double fallback) const {
  if (const int64_t* value = std::get_if<int64_t>(&value_)) return static_cast<double>(*value);
  const double* value = std::get_if<double>(&value_);
  return value != nullptr ? *value : fallback;
}

const std::string& Json::as_string() const {
  const std::string* value = std::get_if<std::string>(&value_);
  return value != nullptr ? *value : kNoString;
}

const Json::Array& Json::items() const {
  const Array* value = std::get_if<Array>(&value_);
  return value != nullptr ? *value : kNoItems;
}

const Json::Object& Json::members() const {
  const Object* value = std::get_if<Object>(&value_);
  return value != nullptr ? *value : kNoMembers;
}

const Json& Json::operator[](std::string_view name) const {
  for (const Member& member : members()) {
    if (member.first == name) return member.second;
  }
  return kNull;
}

bool Json::has(std::string_view name) const {
  for (const Member& member : members()) {
    if (member.first == name) return true;
  }
  return false;
}

Json& Json::append(std::string name, Json value) {
  if (!is_object()) value_ = Object();
  return std::get<Object>(value_).emplace_back(std::move(name), std::move(value)).second;
}

Json& Json::set(std::string_view name, Json value) {
  if (!is_object()) value_ = Object();
  for (Member& member : std::get<Object>(value_)) {
    if (member.first == name) {
      member.second = std::move(value);
      return *this;
    }
  }
  append(std::string(name), std::move(value));
  return *this;
}

Json& Json::push(Json value) {
  if (!is_array()) value_ = Array();
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

std::string Json::dump() const {
  std::string out;
  write(out, *this, false, 0);
  return out;
}

std::string Json::dump_pretty() const {
  std::string out;
  write(out, *this, true, 0);
  return out;
}

Result<Json> Json::parse(std::string_view text, Limits limits) {
  if (text.size() > limits.bytes) {
    return Error(ErrorCode::kExhausted,
                 fmt::format("JSON of {} bytes is over the limit of {}", text.size(), limits.bytes));
  }
  Builder builder(limits.depth);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
    return Error(ErrorCode::kInvalid, builder.reason().empty() ? "not valid JSON" : builder.reason());
  }
  return builder.take();
}

}  // namespace freehold::codec
