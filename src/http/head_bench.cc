#include <benchmark/benchmark.h>

#include <string>

#include "http/head.h"

namespace freehold::http {
namespace {

const std::string kSmall = "GET /api/items?page=2 HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: bench\r\n\r\n";
const std::string kBrowser =
    "GET /static/application/main.js?v=20260301 HTTP/1.1\r\nHost: www.example.org\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
    "Referer: https://www.example.org/somewhere/else?with=a&query=string\r\nConnection: keep-alive\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=yes-to-the-needed-ones-only\r\n"
    "If-None-Match: \"5f3a-61c2b7d9e4f00\"\r\nCache-Control: max-age=0\r\nSec-Fetch-Mode: no-cors\r\n\r\n";
const std::string kResponse =
    "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Sun, 01 Mar 2026 12:00:00 GMT\r\nContent-Type: text/plain\r\n"
    "Content-Length: 128\r\nConnection: keep-alive\r\n\r\n";

void parse_whole(benchmark::State& state, const std::string& bytes) {
  RequestHead head;
  for (auto _ : state) {
    HeadResult result = parse_request_head(bytes, {}, head);
    if (result.state != HeadState::kComplete) state.SkipWithError("refused");
    benchmark::DoNotOptimize(head.authority.host.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
}

void small_request(benchmark::State& state) { parse_whole(state, kSmall); }
void browser_request(benchmark::State& state) { parse_whole(state, kBrowser); }
BENCHMARK(small_request);
BENCHMARK(browser_request);

void small_response(benchmark::State& state) {
  ResponseHead head;
  for (auto _ : state) {
    HeadResult result = parse_response_head(kResponse, {}, head);
    if (result.state != HeadState::kComplete) state.SkipWithError("refused");
    benchmark::DoNotOptimize(head.status);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kResponse.size()));
}
BENCHMARK(small_response);

// Time per byte must not grow with the number of pieces: a slow sender costs what a fast one does.
void request_byte_by_byte(benchmark::State& state) {
  const std::string bytes =
      "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(static_cast<size_t>(state.range(0)), 'v') + "\r\n\r\n";
  RequestHead head;
  for (auto _ : state) {
    for (size_t end = 1; end <= bytes.size(); ++end) {
      HeadResult result = parse_request_head({bytes.data(), end}, {}, head);
      benchmark::DoNotOptimize(result);
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
}
BENCHMARK(request_byte_by_byte)->Arg(1000)->Arg(30000);

}  // namespace
}  // namespace freehold::http
