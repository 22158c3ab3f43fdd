#include "leaving/fates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "leaving/rich_export.h"
#include "model/language.h"

namespace freehold::leaving {
namespace {

// Every key that is built, as the table of the language has it.
void collect(const std::string& path, std::vector<std::string>& out) {
  std::string typed = path;
  for (size_t at; (at = typed.find("[]")) != std::string::npos;) typed.erase(at, 2);
  auto explained = model::explain(typed);
  ASSERT_TRUE(explained.ok()) << path;
  auto found = std::ranges::find(*explained, path, &model::Explanation::path);
  ASSERT_NE(found, explained->end()) << path;
  for (const model::Explanation& key : found->keys) {
    if (!key.built) continue;
    out.push_back(key.path);
    collect(key.path, out);
  }
}

TEST(Fates, KnowEveryKeyOfTheLanguage) {
  std::vector<std::string> keys;
  collect("", keys);
  ASSERT_GT(keys.size(), 50u);
  std::set<std::string_view> known;
  for (const Fate& fate : kFates) EXPECT_TRUE(known.insert(fate.key).second) << fate.key << " stands twice";
  for (const std::string& key : keys) {
    EXPECT_TRUE(known.erase(key) == 1) << key << ": `freehold export` must express it, or say that it does not: "
                                       << "src/leaving/fates.h needs a line, tests/golden/export/rich.yaml a use of it";
  }
  for (std::string_view left : known) ADD_FAILURE() << left << " is no key that is built";
}

// What the table claims is seen in what is exported of a file that uses every key.
TEST(Fates, AreWhatTheExportShows) {
  auto made = export_of_rich(WithSecrets::kNo);
  ASSERT_TRUE(made.ok()) << made.error().message();
  std::string all;
  std::string guide;
  for (const TextFile& file : made->files) (file.path == "README.md" ? guide : all) += file.text;
  for (const Fate& fate : kFates) {
    EXPECT_NE(fate.gone.empty(), fate.sign.empty() && fate.loss.empty())
        << fate.key << " is expressed or lost, or gone for a reason, and not both";
    EXPECT_THAT(all, testing::HasSubstr(std::string(fate.sign))) << fate.key;
    if (fate.loss.empty()) continue;
    auto loss = std::ranges::find(made->losses, fate.loss, &Loss::key);
    ASSERT_NE(loss, made->losses.end()) << fate.key;
    EXPECT_THAT(guide, testing::HasSubstr(describe(*loss)));
  }
}

}  // namespace
}  // namespace freehold::leaving
