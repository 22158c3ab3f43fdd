// Contents: asked which are missing, then sent, each under the name that its bytes have.
#include "api/work.h"

namespace freehold::api {
namespace {

constexpr uint64_t kLargestBlob = uint64_t{4} << 30;

// Takes a blob to the disk as it arrives.
class UploadSink : public http::BodySink {
 public:
  UploadSink(std::shared_ptr<http::Exchange> exchange, contents::Upload upload, std::string digest)
      : exchange_(std::move(exchange)), upload_(std::move(upload)), digest_(std::move(digest)) {}

  Result<void> on_data(std::string_view bytes) override { return upload_.append(bytes); }
  void on_end() override {
    auto done = upload_.finish(digest_);
    exchange_->respond(done ? http::response_of(201, kJsonType, codec::to_json(Nothing()).dump() + "\n")
                            : problem_response(done.error()));
  }
  void on_failed(const Error& error) override {
    if (!exchange_->answered()) exchange_->respond(problem_response(error));
  }

 private:
  std::shared_ptr<http::Exchange> exchange_;
  contents::Upload upload_;
  std::string digest_;
};

void upload(const std::shared_ptr<Call>& call) {
  auto upload = call->backend.contents.begin_upload();
  if (!upload) return call->respond(upload.error());
  auto sink = std::make_unique<UploadSink>(call->exchange, *std::move(upload), call->in_path.at("digest"));
  call->exchange->stream_body(kLargestBlob, std::move(sink));
}

Result<std::vector<std::string>> missing(const Call& call, const std::vector<std::string>& wanted) {
  std::vector<std::string> missing;
  for (const std::string& digest : wanted) {
    FH_ASSIGN(bool there, call.backend.contents.hold(digest));
    if (!there) missing.push_back(digest);
  }
  return missing;
}

}  // namespace

std::vector<Resource> resources_of_contents() {
  Work takes_bytes{.run = &upload,
                   .takes = {.media = Media::kBytes},
                   .gives = {Media::kJson, &detail::schema_in<Nothing, codec::SchemaUse::kWritten>}};
  return {{.method = http::Method::kPost,
           .path = "/v1/contents/missing",
           .name = "findMissingContents",
           .group = "contents",
           .summary = "Which of these digests are not there; those that are, are kept for the apply that follows",
           .work = json<&missing>()},
          {.method = http::Method::kPut,
           .path = "/v1/contents/{digest}",
           .name = "putContent",
           .group = "contents",
           .summary = "Send a content, at most 4 GiB",
           .work = takes_bytes,
           .statuses = {201},
           .refusals = {504, 507}}};
}

}  // namespace freehold::api
