#include "agent/filling.h"

#include <gtest/gtest.h>

namespace freehold::agent {
namespace {

FillingContext context() {
  FillingContext out;
  out.instance = "web.3";
  out.port = 20007;
  out.volume_paths = {{"data", "/srv/data"}};
  out.secret = [](const std::string& name) -> Result<std::string> {
    if (name == "cookie-key") return std::string("s3cret$$");
    return Error(ErrorCode::kNotFound, "no such secret");
  };
  out.temporary_folder = "/tmp";
  return out;
}

TEST(FillCommand, ReplacesPortAndVolumes) {
  auto words = fill_command({"./bin/web", "--port=${PORT}", "${volume.data.path}/db", "$$5"}, context());
  ASSERT_TRUE(words.ok());
  EXPECT_EQ(*words, (std::vector<std::string>{"./bin/web", "--port=20007", "/srv/data/db", "$5"}));
}

TEST(FillCommand, RefusesWhatIsUnknown) {
  EXPECT_FALSE(fill_command({"${volume.other.path}"}, context()).ok());
  EXPECT_FALSE(fill_command({"${service.db.address}"}, context()).ok()) << "control fills that in";
}

TEST(FillEnvironment, GivesSecretsAsAskedForAndNeverFillsThemAgain) {
  model::Runtime runtime;
  runtime.service = "web";
  runtime.secrets = {{"cookie-key", model::SecretForm::kEnv}};
  runtime.env = {{"URL", "x://${secret.cookie-key}@h"}, {"LANG", "de_DE.UTF-8"}};
  auto environment = fill_environment(runtime, context());
  ASSERT_TRUE(environment.ok());
  EXPECT_EQ(environment->at("COOKIE_KEY"), "s3cret$$");
  EXPECT_EQ(environment->at("URL"), "x://s3cret$$@h");
  EXPECT_EQ(environment->at("LANG"), "de_DE.UTF-8");
  EXPECT_EQ(environment->at("PORT"), "20007");
  EXPECT_EQ(environment->at("FREEHOLD_INSTANCE"), "web.3");
  EXPECT_FALSE(environment->contains("CREDENTIALS_DIRECTORY"));
}

TEST(FillEnvironment, FailsWithoutASecretThatIsUsed) {
  model::Runtime runtime;
  runtime.env = {{"A", "${secret.gone}"}};
  EXPECT_EQ(fill_environment(runtime, context()).error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace freehold::agent
