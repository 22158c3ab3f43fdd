#include "api/going_on.h"

#include "api/work.h"

namespace freehold::api {
namespace {

codec::Json any_log_line(codec::SchemaBook& book) {
  return codec::schema::any_of(
      {book.of<LogLine>(codec::SchemaUse::kWritten), book.of<AccessLine>(codec::SchemaUse::kWritten)});
}

}  // namespace

std::vector<Resource> resources_that_go_on() {
  const Parameter last = number("last",
                                "Only the last so many; more than there may be (10,000 events, 100,000 log "
                                "lines) are cut to that.");
  const Parameter follow = flag("follow", "Go on as more comes, until the client leaves.");
  return {
      {.path = "/v1/events",
       .name = "listEvents",
       .group = "looking",
       .summary = "What happened, the oldest first, one line each",
       .parameters = {number("after", "Only events with greater ids. Where a stream ended, the next begins."), last,
                      text_parameter("subject", "Only of this instance, or of this service and its instances."),
                      text_parameter("kind", "Only kinds that begin like this: `apply.`, `instance.ended`."), follow},
       .work = lines<EventLine>(&event_lines)},
      {.path = "/v1/logs",
       .name = "listLogLines",
       .group = "looking",
       .summary = "What services print, or what the gateway answered, by time, one line each",
       .parameters = {text_parameter("service", "Only of this service or instance."),
                      moment("since", "Only what is not older."), last,
                      flag("access", "The gateway's access log instead."), follow},
       .work = {.run = &log_lines, .gives = {Media::kLines, &any_log_line}},
       .refusals = {404}}};
}

}  // namespace freehold::api
