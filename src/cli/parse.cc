// The only file that includes the command-line library: its header costs seconds.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/text.h"
#include "cli/command_words.h"
#include "cli/grammar.h"
#include "cli/invocation.h"
#include "cli/output.h"
#include "cli/screen.h"

namespace freehold::cli {
namespace {

constexpr std::string_view kFooter =
    R"(  freehold up                       make what ./freehold.yaml says so, and keep it so
  freehold plan                     what `up` would change, and what users would notice
  freehold status --watch           what runs, as it changes
  freehold logs -f web              what a service prints
  freehold rollback                 back to the generation before
)";

constexpr int kMostLines = 100'000;

// Builds the verbs one by one on the same Invocation.
class Grammar {
 public:
  explicit Grammar(Invocation& out) : app_("Own your infrastructure: one file, one program.", "freehold"), out_(out) {
    app_.require_subcommand(1);
    app_.set_version_flag("-V,--version", "freehold " FREEHOLD_VERSION, "Print the version and exit");
    app_.set_help_flag("-h,--help", "Print help, of the verb if there is one, and exit");
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
    group_ = "Deploying";
    describe_file();
    group_ = "What runs";
    describe_running();
    describe_jobs();
    group_ = "Looking";
    describe_seeing();
    group_ = "Generations";
    describe_past();
    group_ = "Keeping";
    describe_keeping();
    group_ = "Writing the file";
    describe_writing();
    group_ = "This program";
    describe_itself();
  }

  CLI::App& app() { return app_; }

 private:
  CLI::App* verb(const char* name, const char* purpose, const char* examples) {
    CLI::App* sub = app_.add_subcommand(name, purpose);
    sub->footer(examples);
    sub->group(group_);
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
    up->add_option("-m,--message", out_.message, "Why, for the history")->type_name("TEXT");
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
    CLI::App* lock = verb("lock", "Who is changing something now, and ending what does not end by itself",
                          "  freehold lock status\n  freehold lock release\n  freehold lock release --force   # ends a "
                          "rollout where it stands");
    words(lock, "status|release", "What to do", 1, 1);
    lock->add_flag("--force", out_.force, "Release it though its holder lives");
    CLI::App* exec = verb("exec", "Run a command as a service: its user, environment and limits",
                          "  freehold exec web -- env\n  freehold exec notes -- sh");
    words(exec, "SERVICE -- COMMAND", "The service or instance, then the command", 2, 2);
  }

  void describe_jobs() {
    words(verb("jobs", "What runs by a schedule: when it is due next, and how it went",
               "  freehold jobs\n  freehold jobs nightly      # its last runs, one by one\n  freehold jobs -o json"),
          "JOB", "Only this job, with its last runs", 0, 1);
    words(verb("run", "Start a job now and follow what it prints; its exit code is ours",
               "  freehold run nightly      # ctrl-C stops watching; the run goes on"),
          "JOB", "Which job", 1, 1);
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
    logs->add_option("--since", out_.since, "Only what is newer: 10m, 2h, or 2026-03-01T12:00:00Z")->type_name("TIME");
    logs->add_option("-n,--lines", out_.lines, "The last so many lines (default 200, with --since all)")
        ->check(CLI::Range(0, kMostLines).description(""))
        ->type_name("N");
    words(logs, "SERVICE", "Only this service or instance", 0, 1);
    CLI::App* events = verb("events", "What happened: starts, ends, health, deploys, by whom",
                            "  freehold events\n  freehold events -f\n  freehold events --after 1200 -o ndjson");
    events->add_flag("-f,--follow", out_.follow, "Go on as more comes");
    events->add_option("--after", out_.after, "Only events after this id")->type_name("ID");
    events->add_option("-n,--lines", out_.lines, "The last so many (default 50)")
        ->check(CLI::Range(0, kMostLines).description(""))
        ->type_name("N");
    words(events, "SUBJECT", "Only of this service or instance", 0, 1);
    verb("doctor", "What this machine can and cannot do for Freehold, and what each lack costs", "  freehold doctor");
  }

  void describe_past() {
    verb("history", "The generations: who applied what, when, and how it ended", "  freehold history");
    words(verb("diff", "What changed between two generations", "  freehold diff 3 4"), "N M", "Two generations", 2, 2);
    words(verb("rollback", "Bring back a generation, with its programs as they were (default: the one before)",
               "  freehold rollback\n  freehold rollback 7"),
          "N", "Which generation", 0, 1);
    CLI::App* leave = verb("export", "Write a generation as plain systemd units, an nginx configuration and files",
                           "  freehold export ./leaving\n  freehold export --generation 7 --secrets ./leaving");
    words(leave, "FOLDER", "A folder that is not there yet, or is empty", 1, 1);
    leave->add_option("--generation", out_.generation, "Which one (default: the current)")->type_name("N");
    leave->add_flag("--secrets", out_.secrets, "With the values of secrets, in the clear");
  }

  void locked(CLI::App* sub) {
    sub->add_option("--passphrase-file", out_.passphrase_file, "Where the passphrase stands (default: it is asked for)")
        ->type_name("FILE");
    sub->add_option("--key-file", out_.key_file, "A key instead of a passphrase; see keygen")
        ->type_name("FILE")
        ->excludes("--passphrase-file");
  }

  void describe_keeping() {
    CLI::App* backup =
        verb("backup", "Everything of this platform into one encrypted file, while it runs",
             "  freehold backup town-hall.backup\n  freehold backup --key-file backup.pub /mnt/town-hall.backup");
    words(backup, "FILE", "The file to write", 1, 1);
    backup->add_flag("--force", out_.force, "Replace the file if it is there");
    locked(backup);
    CLI::App* verify =
        verb("verify", "Read every byte of a backup, and say what is in it", "  freehold verify town-hall.backup");
    words(verify, "FILE", "The backup", 1, 1);
    locked(verify);
    CLI::App* restore = verb("restore", "Bring a platform back from a backup, where there is none yet",
                             "  freehold restore town-hall.backup\n  freehold restore --start town-hall.backup");
    words(restore, "FILE", "The backup", 1, 1);
    restore->add_flag("--start", out_.start, "Start it, too");
    locked(restore);
    words(verb("keygen", "Make a key for backups; prints its public half, which can make backups and open none",
               "  freehold keygen backup.key > backup.pub"),
          "FILE", "The key file to write", 1, 1);
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
    CLI::App* schema = verb("schema", "The JSON Schema of the file, for editors",
                            "  freehold schema > freehold.schema.json   # then, first line of the file:\n"
                            "  # yaml-language-server: $schema=freehold.schema.json\n"
                            "  freehold schema --api > openapi.json");
    schema->add_flag("--api", out_.api, "Of the API instead: OpenAPI 3.1, for whoever writes a client");
  }

  void describe_itself() {
    words(verb("help", "What the verbs are for, or how one is used",
               "  freehold help\n  freehold help rollback\n  freehold help -o json   # every verb and option, as data"),
          "VERB", "Which verb", 0, 1);
    words(verb("completion", "What makes a shell complete freehold's words",
               "  source <(freehold completion bash)\n  freehold completion zsh > ~/.zfunc/_freehold\n"
               "  freehold completion fish | source"),
          "bash|zsh|fish|services", "The shell; or the names of the file's services", 1, 1);
    verb("man", "The manual page", "  freehold man | man -l -");
    verb("version", "Which version this is", "  freehold version\n  freehold version -o json");
  }

  CLI::App app_;
  Invocation& out_;
  std::string group_;  // of the verbs that are described next
};

// ---- read out again as data
std::string value_of(const CLI::Option& option) {
  if (option.get_expected_min() == 0 && option.get_expected_max() == 0) return "";
  return option.get_type_name().empty() ? "VALUE" : option.get_type_name();
}

std::vector<OptionInfo> options_of(const CLI::App& app) {
  std::vector<OptionInfo> out;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->nonpositional()) continue;
    OptionInfo info{.names = {}, .value = value_of(*option), .meaning = option->get_description()};
    info.variable = option->get_envname();
    for (const std::string& name : option->get_snames()) info.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) info.names.push_back("--" + name);
    out.push_back(std::move(info));
  }
  return out;
}

std::vector<std::string> examples_of(const CLI::App& app) {
  std::vector<std::string> out;
  std::string footer = app.get_footer();
  for (std::string_view line : split(footer, '\n')) {
    if (!trim(line).empty()) out.emplace_back(trim(line));
  }
  return out;
}

const CLI::Option* operand_of(const CLI::App& verb) {
  for (const CLI::Option* option : verb.get_options()) {
    if (!option->nonpositional()) return option;
  }
  return nullptr;
}

VerbInfo describe(const CLI::App& sub) {
  VerbInfo verb{.name = sub.get_name(), .group = sub.get_group(), .purpose = sub.get_description()};
  if (const CLI::Option* operand = operand_of(sub)) {
    verb.usage = operand->get_required() ? operand->get_name() : fmt::format("[{}]", operand->get_name());
    verb.operand = operand->get_name();
    verb.operand_meaning = operand->get_description();
    verb.most_operands = static_cast<size_t>(operand->get_expected_max());
  }
  for (OptionInfo& option : options_of(sub)) {
    if (option.names.back() != "--help") verb.options.push_back(std::move(option));
  }
  verb.examples = examples_of(sub);
  return verb;
}

GrammarInfo describe_all(const CLI::App& app) {
  GrammarInfo out{.purpose = app.get_description(), .options = options_of(app), .examples = examples_of(app)};
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    out.verbs.push_back(describe(*sub));
  return out;
}

// What the library found, as data; what it says of it is for those who know the library.
UsageFault fault_of(const CLI::ParseError& error, const CLI::App& app, const CLI::App* verb) {
  UsageFault fault;
  // An option that is none is to blame also for what seems to be missing.
  std::vector<std::string> rest = app.remaining(true);
  auto unknown = std::ranges::find_if(rest, [](const std::string& word) { return word.starts_with('-'); });
  if (unknown != rest.end() || dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    fault.kind = UsageFault::Kind::kUnexpected;
    if (!rest.empty()) fault.word = unknown != rest.end() ? *unknown : rest.front();
    return fault;
  }
  if (const CLI::Option* operand = verb == nullptr ? nullptr : operand_of(*verb)) {
    size_t count = operand->results().size();
    if (count < static_cast<size_t>(operand->get_expected_min())) fault.kind = UsageFault::Kind::kMissing;
    if (count > static_cast<size_t>(operand->get_expected_max())) {
      fault.kind = UsageFault::Kind::kUnexpected;
      fault.word = operand->results()[static_cast<size_t>(operand->get_expected_max())];
    }
  }
  fault.library = error.what();
  // An option of which the library speaks is to blame, whatever is missing beside it.
  for (const CLI::App* part : {&app, verb}) {
    if (part == nullptr) continue;
    for (const CLI::Option* option : part->get_options()) {
      std::string name = option->get_name();
      if (!option->nonpositional() || fault.library.find(name) == std::string::npos) continue;
      fault.kind = option->results().empty() ? UsageFault::Kind::kNoValue : UsageFault::Kind::kBadValue;
      fault.option = name;
      if (!option->results().empty()) fault.word = option->results().back();
    }
  }
  return fault;
}

int refuse(const Invocation& invocation, const UsageProblem& problem) {
  return fail_usage(invocation, problem.message, problem.hint);
}

}  // namespace

GrammarInfo describe_grammar() {
  Invocation unused;
  Grammar grammar(unused);
  grammar.build();
  return describe_all(grammar.app());
}

Parsed parse_command_line(int count, char** words) {
  Parsed parsed;
  Invocation& invocation = parsed.invocation;
  Grammar grammar(invocation);
  grammar.build();
  GrammarInfo info = describe_all(grammar.app());
  CommandWords line = read_words(info, std::vector<std::string>(words + 1, words + count));
  // https://no-color.org: set and not empty, whatever it says.
  const char* no_color = std::getenv("NO_COLOR");
  invocation.color = Screen::is_there() && (no_color == nullptr || *no_color == '\0');
  auto answer = [&](const std::string& text) {
    print(text);
    parsed.exit_code = kDone;
    return parsed;
  };
  if (line.asks_for_help) return answer(help_text(info, line.verb, Screen::text_columns()));
  try {
    // The library takes the words from the end.
    grammar.app().parse(std::vector<std::string>(line.words.rbegin(), line.words.rend()));
    invocation.output_asked = line.form.has_value();
    if (!line.command.empty()) invocation.arguments.resize(1);
    invocation.arguments.insert(invocation.arguments.end(), line.command.begin(), line.command.end());
  } catch (const CLI::Success& success) {  // --help, --version
    bool version = success.get_name() == "CallForVersion";
    return answer(version ? std::string(success.what()) + "\n" : help_text(info, line.verb, Screen::text_columns()));
  } catch (const CLI::ParseError& error) {
    const CLI::App* verb = info.find(line.verb) == nullptr ? nullptr : grammar.app().get_subcommand(line.verb);
    invocation.output = line.form.value_or(form_of_environment());
    parsed.exit_code = refuse(invocation, explain_fault(info, line, fault_of(error, grammar.app(), verb)));
  }
  return parsed;
}

}  // namespace freehold::cli
