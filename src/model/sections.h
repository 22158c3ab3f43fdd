// The sections of the file, one reader each. Internal to model; each reports everything that is wrong in it.
#pragma once

#include "model/command_reader.h"
#include "model/reading.h"

namespace freehold::model {

// Adds to reading.organisation; a service or host that stands there already is refused with both places.
void read_services(Reading& reading, const Value& value);
void read_routes(Reading& reading, const Value& value);

void read_gateway(Reading& reading, const Value& value);
void read_logs(Reading& reading, const Value& value);
void read_events(Reading& reading, const Value& value);
void read_secrets_section(Reading& reading, const Value& value);

Health read_health(Reading& reading, const Value& value, const std::string& service, Mentions& mentions);
// Makes the service a job if it has a schedule, and refuses what a job cannot have.
void read_job(Reading& reading, const Section& section, Service& service, const Mentions& mentions);
std::vector<Volume> read_volumes(Reading& reading, const Value& value, const std::string& service);
// An upstream outside: "http://host:port".
std::optional<Upstream> read_upstream(Reading& reading, const Value& value, const std::string& what);

// What only the whole file shows: services that are named exist, needs have no cycle, volumes do not collide.
void check_references(Reading& reading);
// Each secret used is in the store, whose names are given.
void check_secrets(Reading& reading, const std::set<std::string>& names);

}  // namespace freehold::model
