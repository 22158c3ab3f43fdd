// Each tests/golden/file/NAME.yaml gives exactly NAME.txt: the diagnostics, and the Organisation if there is one.
// UPDATE_GOLDEN=1 writes the texts instead of comparing them; read the difference before it is committed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "model/file.h"

namespace freehold::model {
namespace {

const std::string kFolder = FREEHOLD_SOURCE_DIR "/tests/golden/file/";

std::optional<std::string> read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<std::string> load(const std::string& path) {
  auto text = read(kFolder + path);
  if (!text) return Error(ErrorCode::kNotFound, path + ": No such file or directory");
  return *std::move(text);
}

FileInput input_of(const std::string& name) {
  FileInput input;
  input.path = name;
  input.load = load;
  input.load_secrets = load;
  input.environment = [](const std::string& variable) -> std::optional<std::string> {
    if (variable == "COLOUR") return "blue $green";
    if (variable == "FLAVOUR") return "lemon";
    return std::nullopt;
  };
  input.timezone_exists = [](const std::string& zone) { return zone == "UTC" || zone == "Atlantic/Reykjavik"; };
  return input;
}

std::string outcome(const ParsedFile& file) {
  std::string out = file.diagnostics.format(Colour::kNever);
  if (file.organisation) out += codec::to_json(*file.organisation).dump_pretty() + "\n";
  return out;
}

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class FileGolden : public testing::TestWithParam<std::string> {};

TEST_P(FileGolden, SaysExactlyThis) {
  std::string expected_path = kFolder + GetParam() + ".txt";
  ParsedFile file = parse_file(input_of(GetParam() + ".yaml"));
  std::string said = outcome(file);
  EXPECT_EQ(file.organisation.has_value(), file.diagnostics.errors() == 0);
  // What stands in the secrets' stores of these cases.
  EXPECT_THAT(said, testing::Not(testing::HasSubstr("hunter2")));
  EXPECT_THAT(file.diagnostics.to_json().dump(), testing::Not(testing::HasSubstr("hunter2")));
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(expected_path, std::ios::binary) << said;
    return;
  }
  auto expected = read(expected_path);
  ASSERT_TRUE(expected) << expected_path << " is missing; UPDATE_GOLDEN=1 writes it";
  EXPECT_EQ(said, *expected);
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Cases, FileGolden, testing::ValuesIn(cases()), test_name);

TEST(FileGoldens, AreAtLeastSeventy) { EXPECT_GE(cases().size(), 70u); }

}  // namespace
}  // namespace freehold::model
