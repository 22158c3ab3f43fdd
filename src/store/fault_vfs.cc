#include "store/fault_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <vector>

#include "os/fault_file.h"

namespace freehold::store {
namespace {

constexpr int kSectorBytes = 4096;
// Of every connection, whatever FaultVfs it was opened under: the salts of a WAL must differ from those before it.
os::SeededRandom& salts() {
  static os::SeededRandom random(1);
  return random;
}

struct OpenFile {
  std::unique_ptr<os::FaultFile> file;
  std::string path;
  bool entry_unsynced = false;
};

struct State {
  os::FaultDisk& disk;
  std::map<const sqlite3_file*, OpenFile> open{};
  // By path: the regions of the WAL's index.
  std::map<std::string, std::vector<std::unique_ptr<std::string>>> shared{};
  int last_errno = 0;
};

State& state_of(sqlite3_vfs* vfs) { return *static_cast<State*>(vfs->pAppData); }

// What SQLite keeps for an open file, in memory of its own.
struct Handle {
  sqlite3_file base;
  State* state;
};

State& state_of(sqlite3_file* base) { return *reinterpret_cast<Handle*>(base)->state; }
OpenFile& open_file(sqlite3_file* base) { return state_of(base).open.at(base); }

int code_of(const Result<void>& result, int otherwise) {
  if (result) return SQLITE_OK;
  return result.error().code() == ErrorCode::kExhausted ? SQLITE_FULL : otherwise;
}

int close_file(sqlite3_file* base) {
  state_of(base).open.erase(base);
  return SQLITE_OK;
}

int read_file(sqlite3_file* base, void* to, int count, sqlite3_int64 offset) {
  auto wanted = static_cast<size_t>(count);
  std::string bytes = open_file(base).file->read(static_cast<uint64_t>(offset), wanted);
  std::memcpy(to, bytes.data(), bytes.size());
  if (bytes.size() == wanted) return SQLITE_OK;
  std::memset(static_cast<char*>(to) + bytes.size(), 0, wanted - bytes.size());
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* base, const void* from, int count, sqlite3_int64 offset) {
  std::string_view bytes(static_cast<const char*>(from), static_cast<size_t>(count));
  return code_of(open_file(base).file->write(static_cast<uint64_t>(offset), bytes), SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* base, sqlite3_int64 size) {
  return code_of(open_file(base).file->truncate(static_cast<uint64_t>(size)), SQLITE_IOERR_TRUNCATE);
}

int sync_file(sqlite3_file* base, int) {
  OpenFile& open = open_file(base);
  int code = code_of(open.file->sync(), SQLITE_IOERR_FSYNC);
  if (code != SQLITE_OK || !open.entry_unsynced) return code;
  code = code_of(state_of(base).disk.sync_directory(os::parent_path(open.path)), SQLITE_IOERR_DIR_FSYNC);
  open.entry_unsynced = code != SQLITE_OK;
  return code;
}

int size_of_file(sqlite3_file* base, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(open_file(base).file->size());
  return SQLITE_OK;
}

int lock_file(sqlite3_file*, int) { return SQLITE_OK; }

int is_reserved(sqlite3_file*, int* reserved) {
  *reserved = 0;
  return SQLITE_OK;
}

int control_file(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return kSectorBytes; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

template <class Memory>
int map_shared(sqlite3_file* base, int region, int bytes, int extend, Memory** memory) {
  State& state = state_of(base);
  auto& regions = state.shared[open_file(base).path];
  auto number = static_cast<size_t>(region);
  *memory = nullptr;
  if (extend != 0 && regions.size() <= number && state.disk.filled()) {
    state.last_errno = ENOSPC;
    return SQLITE_IOERR_SHMSIZE;
  }
  while (extend != 0 && regions.size() <= number) {
    regions.push_back(std::make_unique<std::string>(static_cast<size_t>(bytes), '\0'));
  }
  if (number < regions.size()) *memory = regions[number]->data();
  return SQLITE_OK;
}

int lock_shared(sqlite3_file*, int, int, int) { return SQLITE_OK; }
void barrier(sqlite3_file*) {}

int unmap_shared(sqlite3_file* base, int) {
  state_of(base).shared.erase(open_file(base).path);
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = size_of_file,
    .xLock = lock_file,
    .xUnlock = lock_file,
    .xCheckReservedLock = is_reserved,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = map_shared,
    .xShmLock = lock_shared,
    .xShmBarrier = barrier,
    .xShmUnmap = unmap_shared,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int open_path(sqlite3_vfs* vfs, const char* name, sqlite3_file* base, int flags, int* given) {
  State& state = state_of(vfs);
  std::string path = name == nullptr ? "" : name;
  base->pMethods = nullptr;
  bool is_new = !path.empty() && !state.disk.exists(path);
  if (is_new && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
  auto file = state.disk.open_anywhere(path, 0600);
  if (!file) {
    state.last_errno = file.error().code() == ErrorCode::kExhausted ? ENOSPC : EIO;
    return SQLITE_CANTOPEN;
  }
  bool is_journal = (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL)) != 0;
  *reinterpret_cast<Handle*>(base) = {{&kMethods}, &state};
  state.open.insert_or_assign(base, OpenFile{*std::move(file), path, is_new && is_journal});
  if (given != nullptr) *given = flags;
  return SQLITE_OK;
}

int delete_path(sqlite3_vfs* vfs, const char* name, int sync) {
  os::FaultDisk& disk = state_of(vfs).disk;
  Result<void> removed = disk.remove(name);
  if (!removed) {
    return removed.error().code() == ErrorCode::kNotFound ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
  }
  return sync == 0 ? SQLITE_OK : code_of(disk.sync_directory(os::parent_path(name)), SQLITE_IOERR_DIR_FSYNC);
}

int find_path(sqlite3_vfs* vfs, const char* name, int, int* found) {
  auto info = state_of(vfs).disk.info(name);
  // As in SQLite's own: a journal without bytes is none.
  *found = info.ok() && info->size > 0 ? 1 : 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

int give_random(sqlite3_vfs*, int count, char* out) {
  std::ranges::copy(salts().bytes(static_cast<size_t>(count)), out);
  return count;
}

int pass_time(sqlite3_vfs*, int microseconds) { return microseconds; }

int tell_time(sqlite3_vfs*, sqlite3_int64* milliseconds) {
  *milliseconds = 0;
  return SQLITE_OK;
}

int last_error(sqlite3_vfs* vfs, int, char*) { return state_of(vfs).last_errno; }

}  // namespace

struct FaultVfs::Registration {
  explicit Registration(os::FaultDisk& disk) : state{disk} {
    before = sqlite3_vfs_find(nullptr);
    vfs.iVersion = 2;
    vfs.szOsFile = sizeof(Handle);
    vfs.mxPathname = 512;
    vfs.zName = "freehold-fault";
    vfs.pAppData = &state;
    vfs.xOpen = open_path;
    vfs.xDelete = delete_path;
    vfs.xAccess = find_path;
    vfs.xFullPathname = full_path;
    vfs.xRandomness = give_random;
    vfs.xSleep = pass_time;
    vfs.xGetLastError = last_error;
    vfs.xCurrentTimeInt64 = tell_time;
    sqlite3_vfs_register(&vfs, 1);
  }
  ~Registration() {
    sqlite3_vfs_unregister(&vfs);
    sqlite3_vfs_register(before, 1);
  }
  State state;
  sqlite3_vfs vfs{};
  sqlite3_vfs* before = nullptr;
};

FaultVfs::FaultVfs(os::FaultDisk& disk) : registration_(std::make_unique<Registration>(disk)) {}
FaultVfs::~FaultVfs() = default;

}  // namespace freehold::store
