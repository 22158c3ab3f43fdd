// Resource: one row of the table that the API is. Requests are dispatched by it (404, 405, Allow, parameters) and the
// OpenAPI description is written from it (openapi.cc), so what is not in it is neither answered nor described.
//
// To add one: a handler that takes a Call and returns Result of a struct with `fields`, a row in a function that
// returns rows, and, if that function is new, its name in resources.cc. What the handler takes and gives is read off
// its type. Internal to api.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/call.h"
#include "codec/json_schema.h"
#include "http/head.h"

namespace freehold::api {

enum class ParameterKind : uint8_t { kText, kNumber, kFlag, kTime };
enum class ParameterPlace : uint8_t { kQuery, kHeader };

struct Parameter {
  std::string_view name;
  std::string_view meaning;
  ParameterKind kind = ParameterKind::kText;
  bool needed = false;
  ParameterPlace place = ParameterPlace::kQuery;  // headers are described here, and read by the handler
};

enum class Media : uint8_t { kNothing, kJson, kLines, kText, kBytes };

// What a body is.
struct Form {
  Media media = Media::kNothing;
  codec::Json (*schema)(codec::SchemaBook&) = nullptr;  // of JSON, or of each line
};

struct Work {
  void (*run)(const std::shared_ptr<Call>&) = nullptr;
  Form takes{};
  Form gives{};
};

struct Resource {
  http::Method method = http::Method::kGet;  // GET also answers HEAD
  std::string_view path;                     // "/v1/services/{service}/restart"; what may stand in {}: kInPath
  std::string_view name;                     // operationId: what a generated client calls it
  std::string_view group;                    // tag
  std::string_view summary;
  std::string_view more{};  // what a person has to know beside it
  std::vector<Parameter> parameters{};
  Work work;
  Work stream{};                        // instead of work with follow=1
  std::vector<uint16_t> statuses{200};  // when it does what was asked for
  std::vector<uint16_t> refusals{};     // beside those that every resource has
  std::string_view etag{};              // what the header is, if answers have one
};

// What stands in braces in paths.
struct InPath {
  std::string_view name;
  std::string_view meaning;
  std::string_view pattern;
};
extern const std::vector<InPath> kInPath;

const std::vector<Resource>& all_resources();

// ---- rows by what they are about; each beside its handlers
std::vector<Resource> resources_to_look_at();
std::vector<Resource> resources_that_change();
std::vector<Resource> resources_of_contents();
std::vector<Resource> resources_that_go_on();
std::vector<Resource> resources_of_jobs();
std::vector<Resource> resources_of_the_lock();

// ---- dispatch
struct Match {
  const Resource* resource = nullptr;  // null: nothing is there for this method
  std::string allowed;                 // "GET, HEAD"; empty: nothing is there at all
  std::map<std::string, std::string> in_path;
};
Match match_resource(std::string_view method, std::string_view path);
// The query's; kInvalid for what the resource does not declare, or declares otherwise.
Result<Parameters> read_parameters(const Resource& resource, std::string_view query);
// HEAD of what goes on ends at once: nobody would see it.
void run(const std::shared_ptr<Call>& call);

}  // namespace freehold::api
