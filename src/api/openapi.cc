#include "api/openapi.h"

#include <fmt/core.h>

#include <array>
#include <set>

#include "api/resource.h"
#include "contents/manifest.h"

namespace freehold::api {
namespace {

using codec::Json;
using codec::SchemaUse;
namespace schema = codec::schema;

constexpr std::string_view kAbout =
    "What the command line of Freehold speaks, and whatever else runs on the machine may speak: HTTP/1.1 on the unix "
    "socket STATE/run/control/api.sock, whose peers are admitted by who they are, and, where it was asked for, on a "
    "port of loopback with a bearer token.\n\n"
    "A GET may be asked as HEAD. A path that is not here is answered with 404, a method that is not here with 405 and "
    "Allow, a parameter that is not here with 400; each with a Problem. What is no request of HTTP/1.1, or is too long "
    "or too slow, is answered with a text, and the connection ends. Fields may be added to answers: a client passes "
    "over what it does not know. A moment is a whole number of nanoseconds since "
    "1970, which needs 64 bits: a reader whose numbers are doubles knows it to within 256 ns.";

constexpr std::string_view kSchemas = "#/components/schemas/";

struct Group {
  std::string_view name;
  std::string_view meaning;
};
constexpr std::array kGroups = {
    Group{"looking", "What there is, what happens and what happened. Changes nothing."},
    Group{"changing",
          "What an operator asks for. A change is accepted at once and done by a rollout; events tell of "
          "it, and `GET /v1/rollout` says how far it is."},
    Group{"contents", "The files that an apply points at, sent before it, each under the SHA-256 of its bytes."},
    Group{"probes", "For whoever watches the platform from outside."},
};

// A status that says no. The answers that carry it are described once.
struct Refusal {
  uint16_t status;
  std::string_view name;
  std::string_view meaning;
  enum class Body : uint8_t { kProblem, kText, kEither } body = Body::kProblem;
};
constexpr std::array kRefusals = {
    Refusal{400, "Invalid", "What was sent is wrong: mend it. A text where it was no HTTP.", Refusal::Body::kEither},
    Refusal{401, "TokenNeeded", "Over TCP: the bearer token is missing or another."},
    Refusal{403, "Denied", "Who asks is not admitted, or asks under another name than that of this machine."},
    Refusal{404, "NotFound", "What is named is not there."},
    Refusal{408, "TooSlow", "The body did not come in time.", Refusal::Body::kText},
    Refusal{409, "Conflict", "Somebody else changed it first, or is changing it: look again, decide again."},
    Refusal{412, "NotCurrent", "The generation that If-Match names is not the current one: plan again."},
    Refusal{413, "TooLarge", "The body is longer than this may be.", Refusal::Body::kText},
    Refusal{428, "BaseNeeded", "An apply says what it was planned against."},
    Refusal{500, "Internal", "A defect in Freehold, or stored bytes that are not what was written."},
    Refusal{501, "Unsupported", "This build, kernel or state cannot do it."},
    Refusal{503, "Unavailable", "Not now: try again later. A text where there are too many connections.",
            Refusal::Body::kEither},
    Refusal{504, "Timeout", "It took longer than it may: it may have happened or not."},
    Refusal{507, "Exhausted", "A limit is reached, such as that of the disk."},
};

std::string_view meaning_of_success(uint16_t status) {
  switch (status) {
    case 201:
      return "It is kept.";
    case 202:
      return "Accepted: a rollout has begun.";
    case 503:
      return "Not yet.";
    default:
      return "What was asked for.";
  }
}

std::string_view method_name(http::Method method) {
  switch (method) {
    case http::Method::kPost:
      return "post";
    case http::Method::kPut:
      return "put";
    case http::Method::kDelete:
      return "delete";
    default:
      return "get";
  }
}

Json schema_of(ParameterKind kind) {
  switch (kind) {
    case ParameterKind::kNumber:
      return schema::whole_number(0, INT64_MAX);
    case ParameterKind::kFlag:
      return schema::of_type("integer").set("enum", Json::array().push(0).push(1)).set("default", 0);
    case ParameterKind::kTime:
      return schema::of_type("string").set("format", "date-time");
    case ParameterKind::kText:
      break;
  }
  return schema::of_type("string");
}

class Writer {
 public:
  Json write() {
    Json paths = Json::object();
    for (const Resource& resource : all_resources()) {
      Json item = paths.has(resource.path) ? paths[resource.path] : Json::object();
      item.set(method_name(resource.method), operation(resource));
      paths.set(resource.path, std::move(item));
    }
    Json refusals = Json::object();
    for (const Refusal& refusal : kRefusals) {
      if (used_.contains(refusal.status)) refusals.set(refusal.name, described(refusal));
    }
    Json token = Json().set("type", "http").set("scheme", "bearer");
    token.set("description", "The text of STATE/keys/token. Asked for over TCP only.");
    Json components;
    components.set("schemas", schemas()).set("responses", std::move(refusals));
    components.set("securitySchemes", Json().set("token", std::move(token)));
    Json out;
    out.set("openapi", "3.1.0").set("info", info());
    out.set("servers", Json::array().push(Json().set("url", "/").set("description", "Where this was read.")));
    out.set("security", Json::array().push(Json::object()).push(Json().set("token", Json::array())));
    out.set("tags", tags()).set("paths", std::move(paths)).set("components", std::move(components));
    return out;
  }

 private:
  static Json info() {
    Json license = Json().set("name", "GPL-3.0-or-later").set("identifier", "GPL-3.0-or-later");
    Json out = Json().set("title", "Freehold").set("version", "1").set("description", kAbout);
    return out.set("license", std::move(license));
  }

  static Json tags() {
    Json out = Json::array();
    for (const Group& group : kGroups) out.push(Json().set("name", group.name).set("description", group.meaning));
    return out;
  }

  Json schemas() {
    Json manifest = book_.of<contents::Manifest>(SchemaUse::kRead);
    Json all = book_.take();
    // model passes manifests on without looking into them.
    Json submission = all["Submission"], properties = submission["properties"];
    for (std::string_view name : {"releases", "files"}) {
      Json property = properties[name];
      properties.set(name, property.set("additionalProperties", manifest));
    }
    all.set("Submission", submission.set("properties", std::move(properties)));
    return all;
  }

  Json operation(const Resource& resource) {
    Json out = Json().set("operationId", resource.name).set("tags", Json::array().push(resource.group));
    out.set("summary", resource.summary);
    if (!resource.more.empty()) out.set("description", resource.more);
    Json parameters = in_path(resource);
    for (const Parameter& parameter : resource.parameters) parameters.push(described(parameter));
    if (!parameters.items().empty()) out.set("parameters", std::move(parameters));
    bool takes = resource.work.takes.media != Media::kNothing;
    if (takes) out.set("requestBody", request_body(resource.work.takes));
    Json responses = Json::object();
    for (uint16_t status : resource.statuses) responses.set(std::to_string(status), success(resource, status));
    std::set<uint16_t> refusals = {400, 401, 403, 500, 503};
    refusals.insert(resource.refusals.begin(), resource.refusals.end());
    if (takes) refusals.insert({408, 413});
    for (const Refusal& refusal : kRefusals) {
      std::string status = std::to_string(refusal.status);
      if (!refusals.contains(refusal.status) || responses.has(status)) continue;
      used_.insert(refusal.status);
      responses.set(status, Json().set("$ref", fmt::format("#/components/responses/{}", refusal.name)));
    }
    return out.set("responses", std::move(responses));
  }

  static Json in_path(const Resource& resource) {
    Json out = Json::array();
    for (const InPath& part : kInPath) {
      if (resource.path.find(fmt::format("{{{}}}", part.name)) == std::string_view::npos) continue;
      Json text = part.pattern.empty() ? schema::of_type("string") : schema::pattern(part.pattern);
      Json each = Json().set("name", part.name).set("in", "path").set("required", true);
      out.push(each.set("description", part.meaning).set("schema", std::move(text)));
    }
    return out;
  }

  static Json described(const Parameter& parameter) {
    bool header = parameter.place == ParameterPlace::kHeader;
    Json out = Json().set("name", parameter.name).set("in", header ? "header" : "query");
    if (parameter.needed) out.set("required", true);
    return out.set("description", parameter.meaning).set("schema", schema_of(parameter.kind));
  }

  // OpenAPI 3.1 has no word for the items of a sequence; to it this is a text.
  static Json lines_of(Json line) {
    Json out = schema::of_type("string").set("description", "A value of JSON on each line.");
    return out.set("contentMediaType", kLinesType).set("contentSchema", std::move(line));
  }

  Json content(const Form& form) {
    auto of = [](std::string_view type, Json media) { return Json().set(type, std::move(media)); };
    switch (form.media) {
      case Media::kJson:
        return of(kJsonType, Json().set("schema", form.schema(book_)));
      case Media::kLines:
        return of(kLinesType, Json().set("schema", lines_of(form.schema(book_))));
      case Media::kText:
        return of("text/plain", Json().set("schema", schema::of_type("string")));
      case Media::kBytes:
        return of("application/octet-stream", Json::object());
      case Media::kNothing:
        break;
    }
    return Json::object();
  }

  Json request_body(const Form& form) {
    Json all = content(form);
    return Json().set("required", true).set("content", std::move(all));
  }

  Json success(const Resource& resource, uint16_t status) {
    Json all = content(resource.work.gives);
    const Json stream = content(resource.stream.gives);
    for (const auto& [type, media] : stream.members()) all.set(type, media);
    Json out = Json().set("description", meaning_of_success(status));
    if (!resource.etag.empty()) {
      Json etag = Json().set("description", resource.etag).set("schema", schema::of_type("string"));
      out.set("headers", Json().set("ETag", std::move(etag)));
    }
    return out.set("content", std::move(all));
  }

  Json described(const Refusal& refusal) {
    Json all = Json::object();
    if (refusal.body != Refusal::Body::kText)
      all.set(kJsonType, Json().set("schema", book_.of<Problem>(SchemaUse::kWritten)));
    if (refusal.body != Refusal::Body::kProblem) all.set("text/plain", Json().set("schema", schema::of_type("string")));
    return Json().set("description", refusal.meaning).set("content", std::move(all));
  }

  codec::SchemaBook book_{std::string(kSchemas)};
  std::set<uint16_t> used_;
};

}  // namespace

const codec::Json& api_description() {
  static const Json kDescription = Writer().write();
  return kDescription;
}

}  // namespace freehold::api
