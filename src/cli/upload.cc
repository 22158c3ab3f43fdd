#include "cli/project.h"
#include "cli/session.h"

namespace freehold::cli {
namespace {

constexpr size_t kPiece = size_t{1} << 20;

// Reads a file again in pieces, until an empty one.
class Pieces {
 public:
  Pieces(os::Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  Result<std::string> next() {
    if (!file_) {
      FH_ASSIGN(file_, disk_.open(path_));
    }
    FH_ASSIGN(std::string piece, file_->read(offset_, kPiece));
    offset_ += piece.size();
    return piece;
  }

 private:
  os::Disk& disk_;
  std::string path_;
  std::unique_ptr<os::ReadableFile> file_;
  uint64_t offset_ = 0;
};

}  // namespace

// A file that changes meanwhile does not match its digest, and control refuses it.
Result<void> upload_blob(Session& session, const contents::Capture& capture, const std::string& digest) {
  auto source = capture.sources.find(digest);
  if (source == capture.sources.end())
    return Error(ErrorCode::kInternal, "control asks for a file that was not captured");
  Pieces pieces(os::system_disk(), source->second);
  return session.upload("/v1/contents/" + digest, [&] { return pieces.next(); });
}

}  // namespace freehold::cli
