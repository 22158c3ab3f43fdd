// Any bytes as what the store gives back: reading a state must end, with everything or with a reason, and what was read
// must bear being sent, planned against and gone on with.
//
// The input is lines of a key, a space and a value.
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "control/onlooker.h"
#include "control/rollout.h"
#include "store/memory_store.h"

namespace {

using namespace freehold;

void fill(store::Store& store, std::string_view text) {
  for (std::string_view line : split(text, '\n')) {
    size_t space = line.find(' ');
    if (space == std::string_view::npos) continue;
    // A key that no store takes is not there.
    (void)store.commit(store::Write().put(std::string(line.substr(0, space)), std::string(line.substr(space + 1))))
        .ok();
  }
}

void go_on_with(control::LedgerReader& ledger) {
  (void)codec::to_json(control::node_desired(ledger.desired)).dump();
  (void)control::secrets_needed(ledger.desired);
  if (!ledger.rollout) return;
  control::resume(*ledger.rollout, {});
  model::NodeObserved observed;
  observed.revision = ledger.desired.revision;
  control::sweep(ledger.desired, observed);
  for (int i = 0; i < 3; ++i) (void)control::step(*ledger.rollout, ledger.desired, observed, {});
  control::request_undo(*ledger.rollout, "anna");
  for (int i = 0; i < 3; ++i) (void)control::step(*ledger.rollout, ledger.desired, observed, {});
  (void)control::outcome_text(*ledger.rollout);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  store::MemoryStore store;
  fill(store, {reinterpret_cast<const char*>(data), size});
  auto ledger = control::LedgerReader::look(store);
  if (!ledger) {
    if (ledger.error().message().empty()) std::abort();
    return 0;
  }
  go_on_with(*ledger);
  auto onlooker = control::Onlooker::open(store);
  if (!onlooker) return 0;
  if (auto heads = onlooker->ledger().heads(10)) {
    for (const control::GenerationHead& head : *heads) {
      uint64_t current = onlooker->ledger().current;
      // Not the addresses: giving out new ones asks the machine which ports are free.
      if (head.number != current) (void)onlooker->ledger().generation(head.number).ok();
    }
  }
  // Whoever takes the state over finds the same.
  auto taken = control::Ledger::open(store);
  if (taken && codec::to_json(control::node_desired(taken->desired)) !=
                   codec::to_json(control::node_desired(onlooker->ledger().desired)))
    std::abort();
  return 0;
}
