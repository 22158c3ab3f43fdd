#include "base/error.h"

#include <cerrno>
#include <system_error>

namespace freehold {

std::string_view to_string(ErrorCode code) { return enum_names(code)[static_cast<size_t>(code)]; }

Error Error::with_context(std::string_view context) const {
  return Error(code_, std::string(context) + ": " + message_);
}

namespace {

ErrorCode code_of_errno(int number) {
  switch (number) {
    case ENOENT:
    case ESRCH:
      return ErrorCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kDenied;
    case EAGAIN:
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return ErrorCode::kUnavailable;
    case ETIMEDOUT:
      return ErrorCode::kTimeout;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EFBIG:
      return ErrorCode::kExhausted;
    case EEXIST:
    case EADDRINUSE:
      return ErrorCode::kConflict;
    case EINVAL:
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
      return ErrorCode::kInvalid;
    case ENOSYS:
    case EOPNOTSUPP:
      return ErrorCode::kUnsupported;
    case ECANCELED:
      return ErrorCode::kCancelled;
    default:
      return ErrorCode::kInternal;
  }
}

}  // namespace

Error errno_error(std::string_view what, int number) {
  return Error(code_of_errno(number), std::string(what) + ": " + std::generic_category().message(number));
}

}  // namespace freehold
