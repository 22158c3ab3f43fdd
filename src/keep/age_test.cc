#include "keep/age.h"

#include <gmock/gmock.h>

#include "codec/base64.h"
#include "keep/bech32.h"

namespace freehold::keep {
namespace {

using testing::HasSubstr;

constexpr int kCheap = 2;  // work factor

struct Opened {
  Result<void> outcome;
  std::string bytes;
};

class AgeTest : public testing::Test {
 protected:
  std::string locked(const Key& key, std::string_view bytes, size_t piece = SIZE_MAX) {
    std::string out;
    auto writer = AgeWriter::begin(key, random_, kCheap, [&](std::string_view part) -> Result<void> {
      out += part;
      return {};
    });
    EXPECT_TRUE(writer.ok()) << writer.error().message();
    for (std::string_view left = bytes; !left.empty(); left.remove_prefix(std::min(piece, left.size())))
      EXPECT_TRUE(writer->write(left.substr(0, piece)).ok());
    EXPECT_TRUE(writer->finish().ok());
    return out;
  }
  static Opened opened(const Key& key, std::string_view file, size_t piece = SIZE_MAX) {
    Opened out;
    AgeReader reader(AgeReader::opener(key), [&](std::string_view part) -> Result<void> {
      out.bytes += part;
      return {};
    });
    for (std::string_view left = file; !left.empty() && out.outcome; left.remove_prefix(std::min(piece, left.size())))
      out.outcome = reader.write(left.substr(0, piece));
    if (out.outcome) out.outcome = reader.finish();
    return out;
  }

  os::SeededRandom random_{7};
  Key words_ = *Key::from_passphrase("correct horse");
  Key pair_ = Key::generate(random_);
};

TEST_F(AgeTest, OpensWhatItLockedWhateverTheLengthAndThePieces) {
  for (size_t size : {size_t{0}, size_t{1}, kChunkBytes - 1, kChunkBytes, kChunkBytes + 1, 3 * kChunkBytes}) {
    std::string bytes = random_.bytes(size);
    for (const Key* key : {&words_, &pair_}) {
      std::string file = locked(*key, bytes, 1000);
      for (size_t piece : {size_t{333}, SIZE_MAX}) {
        Opened back = opened(*key, file, piece);
        ASSERT_TRUE(back.outcome.ok()) << size << ": " << back.outcome.error().message();
        EXPECT_EQ(back.bytes, bytes);
      }
    }
  }
}

TEST_F(AgeTest, OpensWhatTheReferenceWrote) {
  // age 1.1.1: printf 'hello from age' | age -r RECIPIENT
  Key key = *Key::from_file(
      "# created: 2026-11-20T17:00:00Z\nAGE-SECRET-KEY-1X9GQ73XX6NF6A36XUSL5L25J7WRQH0VHRVUZWNFH0ZPD8GV59LPS4GDHG7\n");
  EXPECT_EQ(key.public_text(), "age18sykytqe33wv4mca6wc8h060cwxajjvexynwqadcvg4cssykhvlqaftf37");
  auto file = codec::base64_decode(
      "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSB0Qlhjdmh1VG5MRTdRclFLREJsVWYzbGk2K08yMUxvR0dlY1"
      "o2R1JTYXpvCmNQMWVvOC8vSXkvYmJyR2dQWjJBRXQ3NDU0R1ZHMm5ERWRpZlV6SzVmR1kKLS0tIHBURUI4bmRvZWxy"
      "czJhemhaR3RTekpQcnhRUDdOdVcrSCtOVVhQMSt6VGcKm/Y+gYffV1HiUsajd2970yMJWBkxwGwaaOW087gwjUA+4F"
      "E2Tc6o9k56ghSh4Q==");
  ASSERT_TRUE(file.ok());
  Opened back = opened(key, *file);
  ASSERT_TRUE(back.outcome.ok()) << back.outcome.error().message();
  EXPECT_EQ(back.bytes, "hello from age");
}

TEST_F(AgeTest, LocksWithThePublicHalfAndOpensOnlyWithThePrivateOne) {
  Key half = *Key::from_file(pair_.public_text());
  EXPECT_FALSE(half.opens());
  std::string file = locked(half, "x");
  EXPECT_TRUE(opened(*Key::from_file(pair_.file_text()), file).outcome.ok());
  EXPECT_EQ(opened(half, file).outcome.error().code(), ErrorCode::kDenied);
}

TEST_F(AgeTest, RefusesEveryOtherKey) {
  for (const Key* key : {&words_, &pair_}) {
    std::string file = locked(*key, "x");
    for (const Key& other : {*Key::from_passphrase("correct horsf"), Key::generate(random_)}) {
      Opened back = opened(other, file);
      ASSERT_FALSE(back.outcome.ok());
      EXPECT_EQ(back.outcome.error().code(), ErrorCode::kDenied);
      EXPECT_EQ(back.bytes, "");
    }
  }
}

TEST_F(AgeTest, FindsEveryByteThatWasChanged) {
  std::string bytes = random_.bytes(100);
  for (const Key* key : {&words_, &pair_}) {
    std::string file = locked(*key, bytes);
    for (size_t at = 0; at < file.size(); ++at) {
      for (int change : {1, 0x80}) {
        std::string changed = file;
        changed[at] = static_cast<char>(changed[at] ^ change);
        EXPECT_FALSE(opened(*key, changed).outcome.ok()) << "byte " << at << " of " << file.size();
      }
    }
  }
}

TEST_F(AgeTest, FindsAnEndThatIsMissingAndOneThatIsTooMuch) {
  std::string file = locked(pair_, random_.bytes(2 * kChunkBytes));
  size_t sealed = kChunkBytes + kTagBytes;
  for (size_t size : {size_t{0}, size_t{5}, size_t{150}, file.size() - 2 * sealed - 3, file.size() - 2 * sealed,
                      file.size() - sealed - 1, file.size() - sealed, file.size() - 1}) {
    Opened back = opened(pair_, std::string_view(file).substr(0, size));
    EXPECT_FALSE(back.outcome.ok()) << size;
  }
  EXPECT_THAT(opened(pair_, std::string_view(file).substr(0, file.size() - sealed)).outcome.error().message(),
              HasSubstr("ends too early"));
  EXPECT_FALSE(opened(pair_, file + "x").outcome.ok());
  // Two chunks in the other's place.
  size_t first = file.size() - 2 * sealed;
  std::string swapped = file.substr(0, first) + file.substr(first + sealed) + file.substr(first, sealed);
  EXPECT_FALSE(opened(pair_, swapped).outcome.ok());
}

TEST_F(AgeTest, SaysWhatIsNoSuchFile) {
  EXPECT_EQ(opened(words_, "PK\x03\x04 and so on").outcome.error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(opened(words_, "age-encryption.org/v9\n").outcome.error().code(), ErrorCode::kUnsupported);
  EXPECT_FALSE(opened(words_, std::string(kAgeIntroduction) + std::string(kMostHeader, '\n')).outcome.ok());
}

TEST_F(AgeTest, StretchesNoPassphraseBeyondItsBound) {
  std::string file = locked(words_, "x");
  size_t at = file.find(" 2\n");
  file.replace(at, 3, " 30\n");
  EXPECT_EQ(opened(words_, file).outcome.error().code(), ErrorCode::kUnsupported);
}

TEST(KeyFile, HasOneKeyAndNoErrorSaysIt) {
  os::SeededRandom random(3);
  Key key = Key::generate(random);
  for (const std::string& text : {std::string(""), std::string("# nothing\n"), key.file_text() + key.public_text(),
                                  key.file_text().substr(0, key.file_text().size() - 3), std::string("hunter2")}) {
    auto read = Key::from_file(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().code(), ErrorCode::kInvalid);
    EXPECT_THAT(read.error().message(), testing::Not(HasSubstr("SECRET-KEY-1")));
    EXPECT_THAT(read.error().message(), testing::Not(HasSubstr("hunter2")));
  }
}

TEST(Bech32, FindsAnyLetterThatIsWrong) {
  std::string text = bech32_encode("age", std::string(32, '\x5a'));
  EXPECT_EQ(*bech32_decode("age", text), std::string(32, '\x5a'));
  for (size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = changed[at] == 'q' ? 'p' : 'q';
    EXPECT_FALSE(bech32_decode("age", changed).ok()) << at;
  }
}

}  // namespace
}  // namespace freehold::keep
