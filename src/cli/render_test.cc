#include "cli/render.h"

#include <gtest/gtest.h>

#include "cli/table.h"

namespace freehold::cli {
namespace {

using namespace std::chrono_literals;

TEST(Table, AlignsColumnsAndPadsNothingAtTheEnd) {
  Table table({"NAME", "N", "NOTE"});
  table.add({"web", "10", "x"});
  table.add({"café", "1", ""});
  EXPECT_EQ(table.text(false), "NAME  N   NOTE\nweb   10  x\ncafé  1\n");
}

TEST(Table, ColoursDoNotMoveColumns) {
  Table table({"A", "B"});
  table.add({{"x", Tone::kGood}, "y"});
  EXPECT_EQ(table.text(true), "\033[2mA\033[0m  \033[2mB\033[0m\n\033[32mx\033[0m  y\n");
}

TEST(RenderStatus, ShowsServicesWithTheirInstancesAndWhatIsWrong) {
  WallTime now(1h);
  api::Status status;
  status.organisation = "coop";
  status.generation = 4;
  status.node_connected = true;
  api::ServiceStatus web{.name = "web", .replicas = 2, .healthy = 1, .state = "degraded", .address = "127.0.0.1:19000"};
  web.instances.push_back({.id = "web.1",
                           .service = "web",
                           .state = model::InstanceState::kHealthy,
                           .pid = 7,
                           .port = 20000,
                           .since = now - 90s});
  web.instances.push_back({.id = "web.2",
                           .service = "web",
                           .state = model::InstanceState::kUnhealthy,
                           .since = now - 5s,
                           .reason = "503 from /health"});
  status.services = {web};
  status.departures = {"web: 2 instances instead of 1, by ada"};
  EXPECT_EQ(render_status(status, now, false),
            "coop  generation 4\n\n"
            "SERVICE  STATE     HEALTHY  INSTANCE  IS         SINCE   PID  PORT   RESTARTS  \n"
            "web      degraded  1/2      web.1     healthy    1m 30s  7    20000\n"
            "                            web.2     unhealthy  5.0s                          503 from /health\n"
            "\nreached at 127.0.0.1:19000, from this machine\n"
            "departs from the file: web: 2 instances instead of 1, by ada\n");
}

TEST(RenderEvent, IsOneLine) {
  auto event = codec::Json::parse(
      R"({"id":12,"time":"2026-03-01T12:00:00.250Z","kind":"instance.started","subject":"web.3","message":"pid 7","actor":"ada"})");
  EXPECT_EQ(render_event(*event, false),
            "2026-03-01 12:00:00    12  instance.started       web.3          pid 7  (by ada)\n");
}

}  // namespace
}  // namespace freehold::cli
