// The only file that includes the command-line library: its header costs seconds.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "base/text.h"
#include "cli/grammar.h"
#include "cli/invocation.h"
#include "cli/output.h"
#include "cli/screen.h"

namespace freehold::cli {
namespace {

constexpr std::string_view kFooter = R"(
Examples:
  freehold up                       make what ./freehold.yaml says so, and keep it so
  freehold plan                     what `up` would change, and what users would notice
  freehold status --watch           what runs, as it changes
  freehold logs -f web              what a service prints
  freehold rollback                 back to the generation before

Exit codes: 0 done, 1 failed, 2 plan has changes, 3 bad file, 4 refused, 5 nobody answers, 6 rolled back, 64 usage.)";

constexpr int kMostLines = 100'000;

// Builds the verbs one by one on the same Invocation.
class Grammar {
 public:
  explicit Grammar(Invocation& out) : app_("Own your infrastructure: one file, one program.", "freehold"), out_(out) {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "freehold " FREEHOLD_VERSION);
    app_.footer(std::string(kFooter));
    app_.fallthrough();
    app_.add_option("-c,--config", out_.config, "The organisation's file (default ./freehold.yaml)")
        ->type_name("FILE")
        ->envname("FREEHOLD_CONFIG");
    app_.add_option("--state", out_.state, "The state directory (default: by the name in the file)")
        ->type_name("DIR")
        ->envname("FREEHOLD_STATE");
    app_.add_option("-o,--output", out_.output, "human, json or ndjson")
        ->transform(CLI::CheckedTransformer(std::map<std::string, OutputForm>{{"human", OutputForm::kHuman},
                                                                              {"json", OutputForm::kJson},
                                                                              {"ndjson", OutputForm::kNdjson}})
                        .description(""))
        ->type_name("FORM")
        ->envname("FREEHOLD_OUTPUT");
  }

  void build() {
    describe_file();
    describe_running();
    describe_seeing();
    describe_past();
    describe_writing();
  }

  CLI::App& app() { return app_; }

 private:
  CLI::App* verb(const char* name, const char* purpose, const char* examples) {
    CLI::App* sub = app_.add_subcommand(name, purpose);
    sub->footer(std::string("Examples:\n") + examples);
    sub->fallthrough();
    sub->callback([this, name] { out_.verb = name; });
    return sub;
  }
  void file_argument(CLI::App* sub) { sub->add_option("FILE", out_.file, "The organisation's file, as with --config"); }
  void words(CLI::App* sub, const char* name, const char* what, int least, int most) {
    sub->add_option(name, out_.arguments, what)->expected(least, most)->required(least > 0);
  }

  void describe_file() {
    file_argument(verb("validate", "Check the file, and show everything that is wrong with it",
                       "  freehold validate\n  freehold validate town-hall.yaml"));
    CLI::App* plan = verb("plan", "Show what `up` would change, in what order, and what users would notice",
                          "  freehold plan\n  freehold plan --detailed-exitcode   # 0 nothing, 1 error, 2 changes\n  "
                          "freehold plan -o json");
    file_argument(plan);
    plan->add_flag("--detailed-exitcode", out_.detailed_exit_code, "Exit with 2 if there are changes");
    CLI::App* up = verb("up", "Make what the file says so: start the daemons if none answer, apply, show the rollout",
                        "  freehold up\n  freehold up -m 'new price list'\n  freehold up --foreground   # ctrl-C stops "
                        "everything again");
    file_argument(up);
    up->add_flag("--foreground", out_.foreground, "Stay attached; ctrl-C means `freehold down`");
    up->add_option("-m,--message", out_.message, "Why, for the history");
  }

  void describe_running() {
    verb("down", "Stop every service in order, then the daemons; the state is kept", "  freehold down");
    words(verb("restart", "Replace every instance of a service, rolling", "  freehold restart web"), "SERVICE",
          "Which service", 1, 1);
    words(verb("scale", "Run N instances of a service until the next `up`", "  freehold scale web 5"), "SERVICE N",
          "Which service, how many", 2, 2);
    CLI::App* drain = verb("drain", "Give a service or instance no new requests; it keeps running",
                           "  freehold drain web.3\n  freehold drain web.3 --off");
    words(drain, "INSTANCE", "An instance (web.3) or a service", 1, 1);
    drain->add_flag("--off", out_.off, "Give it requests again");
    CLI::App* exec = verb("exec", "Run a command as a service: its user, environment and limits",
                          "  freehold exec web -- env\n  freehold exec notes -- sh");
    words(exec, "SERVICE -- COMMAND", "The service or instance, then the command", 2, 4096);
  }

  void describe_seeing() {
    CLI::App* status =
        verb("status", "What runs, how it is, and where it departs from the file",
             "  freehold status\n  freehold status web\n  freehold status -o json\n  freehold status --watch");
    words(status, "SERVICE", "Only this service", 0, 1);
    status->add_flag("-w,--watch", out_.watch, "Show it anew whenever it changes");
    CLI::App* logs = verb("logs", "What services print, and with --access what the gateway answered",
                          "  freehold logs web\n  freehold logs -f\n  freehold logs web --since 10m\n  freehold logs "
                          "--access web   # the requests that were answered");
    logs->add_flag("-f,--follow", out_.follow, "Go on as more comes");
    logs->add_flag("-a,--access", out_.access, "The gateway's access log; SERVICE: only what went there");
    logs->add_option("--since", out_.since, "Only what is newer: 10m, 2h, or 2026-03-01T12:00:00Z");
    logs->add_option("-n,--lines", out_.lines, "The last so many lines (default 200, with --since all)")
        ->check(CLI::Range(0, kMostLines));
    words(logs, "SERVICE", "Only this service or instance", 0, 1);
    CLI::App* events = verb("events", "What happened: starts, ends, health, deploys, by whom",
                            "  freehold events\n  freehold events -f\n  freehold events --after 1200 -o ndjson");
    events->add_flag("-f,--follow", out_.follow, "Go on as more comes");
    events->add_option("--after", out_.after, "Only events after this id");
    events->add_option("-n,--lines", out_.lines, "The last so many (default 50)")->check(CLI::Range(0, kMostLines));
    words(events, "SUBJECT", "Only of this service or instance", 0, 1);
    verb("doctor", "What this machine can and cannot do for Freehold, and what each lack costs", "  freehold doctor");
  }

  void describe_past() {
    verb("history", "The generations: who applied what, when, and how it ended", "  freehold history");
    words(verb("diff", "What changed between two generations", "  freehold diff 3 4"), "N M", "Two generations", 2, 2);
    words(verb("rollback", "Bring back a generation, with its programs as they were (default: the one before)",
               "  freehold rollback\n  freehold rollback 7"),
          "N", "Which generation", 0, 1);
  }

  void describe_writing() {
    file_argument(verb("init", "Write a file to start from, and a page that it serves",
                       "  freehold init\n  freehold init town-hall.yaml"));
    CLI::App* format = verb("fmt", "Lay the file and its includes out: indentation and spaces, nothing else",
                            "  freehold fmt\n  freehold fmt --diff   # 0 nothing to do, 2 something");
    file_argument(format);
    format->add_flag("--diff", out_.diff, "Show what would change instead; exit with 2 if anything would");
    words(verb("explain", "What a word of the file means, takes, and is if left out",
               "  freehold explain\n  freehold explain services.health\n  freehold explain grace"),
          "KEY", "A key, or the way to it", 0, 1);
    verb("schema", "The JSON Schema of the file, for editors",
         "  freehold schema > freehold.schema.json   # then, first line of the file:\n"
         "  # yaml-language-server: $schema=freehold.schema.json");
    words(verb("completion", "What makes a shell complete freehold's words",
               "  source <(freehold completion bash)\n  freehold completion zsh > ~/.zfunc/_freehold\n"
               "  freehold completion fish | source"),
          "bash|zsh|fish|services", "The shell; or the names of the file's services", 1, 1);
    verb("man", "The manual page", "  freehold man | man -l -");
  }

  CLI::App app_;
  Invocation& out_;
};

std::string first_option_value(const CLI::Option& option) {
  if (option.get_expected_min() == 0 && option.get_expected_max() == 0) return "";
  return option.get_type_name().empty() ? "VALUE" : option.get_type_name();
}

std::vector<OptionInfo> options_of(const CLI::App& app) {
  std::vector<OptionInfo> out;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->nonpositional()) continue;
    OptionInfo info{.names = {}, .value = first_option_value(*option), .meaning = option->get_description()};
    for (const std::string& name : option->get_snames()) info.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) info.names.push_back("--" + name);
    out.push_back(std::move(info));
  }
  return out;
}

std::string meant(std::string_view word, const std::vector<std::string>& names) {
  std::vector<std::string_view> views(names.begin(), names.end());
  return std::string(near_name(word, views));
}

// The verb, or the option of a verb, that was most likely meant by a word that is none.
std::string hint_for(const CLI::App& app, int count, char** words) {
  if (count < 2 || words[1][0] == '-') return "";
  std::vector<std::string> verbs;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    verbs.push_back(sub->get_name());
  std::string near = meant(words[1], verbs);
  if (near.empty()) return fmt::format("'{}' is no verb\n", words[1]);
  if (near != words[1]) return fmt::format("'{}' is no verb; did you mean 'freehold {}'?\n", words[1], near);
  // The verb is right, something after it is not.
  std::vector<std::string> options;
  const CLI::App* verb = app.get_subcommand(near);
  for (const CLI::App* part : {&app, verb}) {
    for (const CLI::Option* option : part->get_options()) {
      for (const std::string& name : option->get_lnames()) options.push_back("--" + name);
    }
  }
  for (int i = 2; i < count; ++i) {
    std::string_view whole = words[i];
    std::string word(whole.substr(0, whole.find('=')));
    if (!word.starts_with("--") || word == "--") continue;
    std::string option = meant(word, options);
    if (!option.empty() && option != word) return fmt::format("did you mean '{}'?\n", option);
  }
  return "";
}

}  // namespace

GrammarInfo describe_grammar() {
  Invocation unused;
  Grammar grammar(unused);
  grammar.build();
  GrammarInfo out;
  out.options = options_of(grammar.app());
  for (const CLI::App* sub : grammar.app().get_subcommands([](const CLI::App*) { return true; })) {
    VerbInfo verb{
        .name = sub->get_name(), .purpose = sub->get_description(), .usage = {}, .options = {}, .examples = {}};
    for (const CLI::Option* option : sub->get_options()) {
      if (option->nonpositional()) continue;
      verb.usage = option->get_required() ? option->get_name() : fmt::format("[{}]", option->get_name());
    }
    for (OptionInfo& option : options_of(*sub)) {
      if (option.names.back() != "--help") verb.options.push_back(std::move(option));
    }
    std::string footer = sub->get_footer();
    for (std::string_view line : split(footer, '\n')) {
      if (line.starts_with("  ")) verb.examples.emplace_back(trim(line));
    }
    out.verbs.push_back(std::move(verb));
  }
  return out;
}

Parsed parse_command_line(int count, char** words) {
  Parsed parsed;
  // https://no-color.org: set and not empty, whatever it says.
  const char* no_color = std::getenv("NO_COLOR");
  parsed.invocation.color = Screen::is_there() && (no_color == nullptr || *no_color == '\0');
  Grammar grammar(parsed.invocation);
  grammar.build();
  try {
    grammar.app().parse(count, words);
  } catch (const CLI::Success& success) {  // --help, --version
    bool version = success.get_name() == "CallForVersion";
    print(version ? std::string(success.what()) + "\n" : grammar.app().help());
    parsed.exit_code = kDone;
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "freehold: {}\n{}Run 'freehold --help' for the verbs, 'freehold VERB --help' for one of them.\n",
               error.what(), hint_for(grammar.app(), count, words));
    parsed.exit_code = kUsage;
  }
  return parsed;
}

}  // namespace freehold::cli
