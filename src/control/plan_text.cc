#include "control/plan_text.h"

#include <fmt/core.h>

namespace freehold::control {
namespace {

constexpr size_t kLongestValue = 60;

struct Style {
  std::string_view sign;
  std::string_view colour;  // SGR parameter
};

Style style_of(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kCreate:
    case ChangeKind::kScaleUp:
      return {"+", "32"};
    case ChangeKind::kRemove:
    case ChangeKind::kScaleDown:
      return {"-", "31"};
    case ChangeKind::kReplaceStopFirst:
      return {"!", "31"};
    default:
      return {"~", "33"};
  }
}

class Renderer {
 public:
  explicit Renderer(Colour colour) : colour_(colour) {}

  std::string take() { return std::move(out_); }
  void line(std::string_view text) { out_ += fmt::format("{}\n", text); }
  std::string paint(std::string_view text, std::string_view sgr) const {
    return colour_ == Colour::kOff ? std::string(text) : fmt::format("\x1b[{}m{}\x1b[0m", sgr, text);
  }

  void change(const ServiceChange& change) {
    Style style = style_of(change.kind);
    line(fmt::format("  {}. {} {}", change.step, paint(style.sign, style.colour), what(change)));
    for (const KeyChange& reason : change.reasons) key(reason);
    if (change.notice != "nothing") line(fmt::format("       noticed: {}", change.notice));
  }
  void key(const KeyChange& change) {
    line(fmt::format("       {}: {} -> {}", change.key, value(change.old_value), value(change.new_value)));
  }
  void route(const RouteChange& change) {
    if (change.old_target.empty()) {
      line(fmt::format("  {} {} to {}", paint("+", "32"), change.route, change.new_target));
    } else if (change.new_target.empty()) {
      line(fmt::format("  {} {} (was {})", paint("-", "31"), change.route, change.old_target));
    } else {
      line(fmt::format("  {} {} to {} (was {})", paint("~", "33"), change.route, change.new_target, change.old_target));
    }
  }

 private:
  static std::string value(std::string_view text) {
    if (text.empty()) return "(none)";
    if (text.size() <= kLongestValue) return std::string(text);
    size_t cut = kLongestValue;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0u) == 0x80u) --cut;  // not inside a UTF-8 sequence
    return fmt::format("{}...", text.substr(0, cut));
  }
  static std::string instances(uint32_t count) { return fmt::format("{} instance{}", count, count == 1 ? "" : "s"); }
  static std::string job(const ServiceChange& change) {
    const char* verb = change.kind == ChangeKind::kCreate   ? "create"
                       : change.kind == ChangeKind::kRemove ? "remove"
                                                            : "update";
    return fmt::format("{} job {}, {}", verb, change.service, change.schedule);
  }
  static std::string what(const ServiceChange& change) {
    const std::string& name = change.service;
    if (!change.schedule.empty()) return job(change);
    std::string count = change.from_replicas == change.to_replicas
                            ? instances(change.to_replicas)
                            : fmt::format("{} -> {}", change.from_replicas, instances(change.to_replicas));
    switch (change.kind) {
      case ChangeKind::kPrepare:
        return fmt::format("prepare {}, once", name);
      case ChangeKind::kCreate:
        return fmt::format("create {}, {}", name, instances(change.to_replicas));
      case ChangeKind::kReplace:
        return fmt::format("replace {}, {}, {} at a time", name, count, change.batch);
      case ChangeKind::kReplaceStopFirst:
        return fmt::format("replace {}, {}, stop first", name, count);
      case ChangeKind::kScaleUp:
      case ChangeKind::kScaleDown:
        return fmt::format("scale {}, {}", name, count);
      case ChangeKind::kUpdate:
        return fmt::format("update {} in place", name);
      case ChangeKind::kRemove:
        return fmt::format("remove {}", name);
    }
    return name;
  }

  Colour colour_;
  std::string out_;
};

std::string news(const SecretChange& change) {
  switch (change.news) {
    case SecretNews::kUsed:
      return "is used from now on";
    case SecretNews::kNewValue:
      return "has a new value";
    case SecretNews::kUnused:
      return "is not used any more";
  }
  return "";
}

void render_departures(const Plan& plan, Renderer& renderer) {
  if (plan.departures.empty()) return;
  renderer.line("Where reality departs from the file:");
  for (const Departure& departure : plan.departures) {
    std::string by;
    if (!departure.who.empty()) by = " (by " + departure.who + ")";
    if (departure.when) {
      by = fmt::format(" ({}{})", departure.who.empty() ? "since " : "by " + departure.who + ", ",
                       format_time(*departure.when));
    }
    renderer.line(fmt::format("  {} {}{}", renderer.paint("*", "36"), departure.text, by));
  }
}

}  // namespace

std::string render(const Plan& plan, Colour colour) {
  Renderer renderer(colour);
  if (plan.empty()) {
    renderer.line(plan.current == 0
                      ? "Nothing to apply."
                      : fmt::format("Nothing to apply: generation {} is as the file says.", plan.current));
    render_departures(plan, renderer);
    return renderer.take();
  }
  if (!plan.changes.empty()) renderer.line("Services, in this order:");
  for (const ServiceChange& change : plan.changes) renderer.change(change);
  if (!plan.routes.empty()) renderer.line("Routes, once the services that they name serve:");
  for (const RouteChange& change : plan.routes) renderer.route(change);
  if (!plan.gateway.empty()) renderer.line("Gateway:");
  for (const KeyChange& change : plan.gateway) renderer.key(change);
  if (!plan.keep.empty()) renderer.line("What is kept; beyond it the oldest goes:");
  for (const KeyChange& change : plan.keep) renderer.key(change);
  if (!plan.secrets.empty()) renderer.line("Secrets:");
  for (const SecretChange& change : plan.secrets) {
    std::string services;
    for (const std::string& service : change.services) services += (services.empty() ? "" : ", ") + service;
    renderer.line(fmt::format("  {} {} (by {})", change.name, news(change), services));
  }
  render_departures(plan, renderer);
  renderer.line(fmt::format("{} change{} to services, {} to routes; {} service{} unchanged.", plan.changes.size(),
                            plan.changes.size() == 1 ? "" : "s", plan.routes.size(), plan.unchanged,
                            plan.unchanged == 1 ? "" : "s"));
  return renderer.take();
}

}  // namespace freehold::control
