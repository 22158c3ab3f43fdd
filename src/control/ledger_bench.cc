// What one step of a rollout costs to write down, with 10,000 services and 100,000 instances in the state: durably, in
// SQLite, on the disk of the working directory.
//
// `written_kb` is what a step added to the write-ahead log.
#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>

#include "control/ledger.h"
#include "store/sqlite_store.h"

namespace freehold::control {
namespace {

constexpr int kServices = 10'000;
constexpr int kReplicas = 10;

std::string name_of(int number) { return fmt::format("service-{:05}", number); }

model::Runtime runtime_of(const std::string& service) {
  model::Runtime runtime;
  runtime.service = service;
  runtime.fingerprint = fmt::format("{:0>32}", service.substr(service.size() - 5));
  runtime.run = {"./bin/" + service, "--port", "${PORT}"};
  runtime.release = std::string(64, 'a');
  for (int key = 0; key < 5; ++key) runtime.env[fmt::format("KEY_{}", key)] = "value of " + service;
  return runtime;
}

// A state folder that goes with it.
struct Scene {
  explicit Scene(int changing) : folder(fmt::format("ledger-bench.{}", getpid())) {
    std::filesystem::create_directory(folder);
    store = *store::open_sqlite_store(os::system_disk(), folder + "/state.db", {});
    ledger.emplace(*Ledger::open(*store));
    Change change(ledger->desired);
    for (int i = 0; i < kServices; ++i) {
      model::Runtime runtime = runtime_of(name_of(i));
      for (int k = 0; k < kReplicas; ++k) change.place(runtime, model::Wanted::kRunning);
    }
    change.commit();
    ledger->rollout.emplace();
    ledger->rollout->id = 1;
    for (int i = 0; i < changing; ++i) {
      ServiceRollout& service = ledger->rollout->services.emplace_back();
      service.service = name_of(i);
      service.stage = Stage::kRolling;
      service.to.spec.emplace();
      service.to.spec->runtime = runtime_of(service.service);
      service.from.spec = service.to.spec;
      ledger->rollout->touched.insert(service.service);
    }
    begin();
  }
  ~Scene() {
    ledger.reset();
    store.reset();
    std::filesystem::remove_all(folder);
  }
  void begin() {
    auto written = ledger->commit({.rollout = true});
    if (!written) fmt::print(stderr, "{}\n", written.error().message());
  }

  std::string folder;
  std::unique_ptr<store::Store> store;
  std::optional<Ledger> ledger;
};

uint64_t bytes_written() {
  std::string text = *os::system_disk().read("/proc/self/io", Bytes{4096});
  return std::stoull(text.substr(text.find("write_bytes: ") + 13));
}

// One instance of one service changes, in a rollout of `changing` services.
void step(benchmark::State& state) {
  Scene scene(static_cast<int>(state.range(0)));
  uint64_t before = bytes_written();
  for (auto _ : state) {
    Change change(scene.ledger->desired);
    std::string service = name_of(7);
    change.place(runtime_of(service), model::Wanted::kRunning);
    change.commit();
    scene.ledger->rollout->touched.insert(service);
    auto written = scene.ledger->commit({.rollout = true});
    if (!written) state.SkipWithError(written.error().message().c_str());
  }
  state.counters["written_kb"] =
      benchmark::Counter(static_cast<double>(bytes_written() - before) / 1024, benchmark::Counter::kAvgIterations);
}

BENCHMARK(step)->Arg(1)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMillisecond)->Iterations(20);

}  // namespace
}  // namespace freehold::control
