#include "api/openapi.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "api/resource.h"

namespace freehold::api {
namespace {

// What programs of others are written against changes only by intent. UPDATE_GOLDEN=1 writes it anew.
TEST(Description, IsTheOneInTheDocumentation) {
  std::string path = FREEHOLD_SOURCE_DIR "/docs/operations/openapi.json";
  std::string made = api_description().dump_pretty() + "\n";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << made;
  std::ifstream file(path, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), made)
      << "UPDATE_GOLDEN=1 writes it; read the difference before it is committed";
}

TEST(Description, NamesEachSchemaOnce) {
  codec::SchemaBook book("#/");
  for (const Resource& resource : all_resources()) {
    for (const Form& form : {resource.work.takes, resource.work.gives, resource.stream.gives}) {
      if (form.schema != nullptr) form.schema(book);
    }
  }
  EXPECT_TRUE(book.conflicts().empty()) << book.conflicts().front();
}

// References lead to something, and what is described is used.
void collect_references(const codec::Json& json, std::set<std::string>& out) {
  for (const auto& [name, value] : json.members()) {
    if (name == "$ref") out.insert(value.as_string());
    collect_references(value, out);
  }
  for (const codec::Json& item : json.items()) collect_references(item, out);
}

TEST(Description, RefersToAllThatItDefinesAndToNothingElse) {
  const codec::Json& all = api_description();
  std::set<std::string> wanted, there;
  collect_references(all, wanted);
  for (std::string_view kind : {"schemas", "responses"}) {
    for (const auto& [name, value] : all["components"][kind].members())
      there.insert("#/components/" + std::string(kind) + "/" + name);
  }
  EXPECT_EQ(wanted, there);
}

}  // namespace
}  // namespace freehold::api
