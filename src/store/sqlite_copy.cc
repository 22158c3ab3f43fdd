// A copy of a database that is in use.
#include <fmt/core.h>

#include "store/sqlite.h"

namespace freehold::store {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (char letter : text) out.append(letter == '\'' ? 2 : 1, letter);
  return out + "'";
}

}  // namespace

Result<void> Database::write_copy(os::Disk& disk, const std::string& path) {
  FH_TRY(disk.remove_tree(path));
  // SQLite would create it readable for everyone; it fills an empty file as well.
  FH_ASSIGN(std::unique_ptr<os::WritableFile> file, disk.open_append(path, 0600));
  FH_TRY(execute(fmt::format("VACUUM INTO {}", quoted(path))));
  return file->sync();
}

Result<void> Database::copy_to(os::Disk& disk, const std::string& path) {
  std::string beside = path + ".new";
  Result<void> written = write_copy(disk, beside);
  if (written) written = disk.rename(beside, path);
  if (!written) {
    (void)disk.remove(beside).ok();
    return written;
  }
  return disk.sync_directory(os::parent_path(path));
}

Result<void> Database::copy(os::Disk& disk, const std::string& from, const std::string& to) {
  FH_TRY(disk.info(from));
  FH_ASSIGN(std::unique_ptr<Database> database, open_file(from, Access::kRead));
  FH_TRY(database->configure({.schema = {}, .access = Access::kRead}));
  FH_TRY(database->check());
  return database->copy_to(disk, to);
}

}  // namespace freehold::store
