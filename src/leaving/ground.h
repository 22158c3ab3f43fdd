// Where on the machine each thing lands: names of units and users, ports, folders. Internal to leaving.
#pragma once

#include "leaving/leaving.h"

namespace freehold::leaving {

struct Place {
  std::string unit;  // "coop-web", without its ending
  // Not exactly one instance: a template unit, whose instances are named by their ports.
  bool many = false;
  std::vector<uint16_t> ports;
  std::string port;       // as the unit writes it: "%i", or the number
  std::string user;       // that it runs as
  bool timed = false;     // a job: its timer is what starts it
  bool own_user = false;  // made for it alone, by sysusers.d
  std::string folder;     // where it starts: its files, or "/"
  std::map<std::string, std::string> volumes;

  // "coop-web@20001.service", one for each instance.
  std::vector<std::string> units(std::string_view ending) const;
};

struct Ground {
  std::string name;                          // of the organisation
  std::string base;                          // "/opt/coop"
  std::map<std::string, Place> places;       // by service
  std::map<std::string, std::string> files;  // digest -> folder
  bool is_used(const control::Composed& composed, const std::string& service) const;
};

Result<Ground> lay_out(const Given& given);

// Below the machine's root, as it stands in the export.
inline std::string in_root(const std::string& path) { return "root" + path; }

}  // namespace freehold::leaving
