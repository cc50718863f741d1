#include "store/meta/database.h"

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/testing/temporary_directory.h"
#include "store/meta/connection.h"
#include "store/meta/migrations.h"

namespace headrace::store {
namespace {

class DatabaseTest : public testing::Test {
 protected:
  Status Insert(const std::string& name) {
    return database_->Write([&](Connection& db) -> Status {
      db.exec("INSERT INTO principals VALUES ('" + name + "', '" + name + "', 0)");
      if (name == "refused") return Fail(ErrorCode::kInvalidArgument, "refused");
      return {};
    });
  }
  int Count() {
    int count = 0;
    EXPECT_TRUE(database_->Read([&](Connection& db) -> Status {
      count = db.execAndGet("SELECT count(*) FROM principals").getInt();
      return {};
    }));
    return count;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ = Database::Open(directory_ / "meta.db").value();
};

TEST_F(DatabaseTest, IsClosedToOthers) {
  struct stat status {};
  ASSERT_EQ(::stat((directory_ / "meta.db").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(DatabaseTest, KeepsWhatWasWritten) {
  ASSERT_TRUE(Insert("a"));
  database_.reset();
  database_ = Database::Open(directory_ / "meta.db").value();
  EXPECT_EQ(Count(), 1);
}

TEST_F(DatabaseTest, RollsBackWhatFails) {
  EXPECT_FALSE(Insert("refused"));
  EXPECT_EQ(Count(), 0);
  ASSERT_TRUE(Insert("a"));
  EXPECT_FALSE(Insert("a"));  // SQLite's own refusal
  EXPECT_EQ(Count(), 1);
}

// Many at once share transactions: each still succeeds, fails or throws by itself.
TEST_F(DatabaseTest, WritersTogetherStayApart) {
  constexpr int kThreads = 12, kWrites = 20;
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < kWrites; ++i) {
          const std::string name = fmt::format("{}-{}", thread, i);
          wrong += Insert(name) ? 0 : 1;
          wrong += Insert(name) ? 1 : 0;       // SQLite's own refusal
          wrong += Insert("refused") ? 1 : 0;  // written, then refused
          bool caught = false;
          try {
            (void)database_->Write([&](Connection& db) -> Status {
              db.exec("INSERT INTO principals VALUES ('thrown', 'thrown', 0)");
              throw std::runtime_error("ours");
            });
          } catch (const std::runtime_error&) {
            caught = true;
          }
          wrong += caught ? 0 : 1;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(Count(), kThreads * kWrites);
}

// `headrace keys` writes while the server runs; when it closes, it must not take itself for the last user.
TEST_F(DatabaseTest, SharesTheFileWithOtherProcesses) {
  ASSERT_TRUE(Insert("a"));
  EXPECT_EQ(Count(), 1);
  const std::string program =
      "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
      "c.execute('INSERT INTO principals VALUES (?, ?, 0)', ('b', 'b')); c.commit(); c.close()";
  ASSERT_EQ(std::system(("python3 -c \"" + program + "\" '" + (directory_ / "meta.db") + "'").c_str()), 0);
  EXPECT_EQ(Count(), 2);
  ASSERT_TRUE(Insert("c"));
  database_.reset();
  database_ = Database::Open(directory_ / "meta.db").value();
  EXPECT_EQ(Count(), 3);
}

// A full disk leaves deletes these blocks; they stay when the database is closed.
TEST_F(DatabaseTest, TheLogHoldsItsBlocks) {
  const auto blocks = [&] {
    struct stat status {};
    return ::stat((directory_ / "meta.db-wal").c_str(), &status) == 0 ? status.st_blocks * 512 : 0;
  };
  EXPECT_GE(blocks(), 4 << 20);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(Insert(std::to_string(i)));
  database_.reset();
  EXPECT_GE(blocks(), 4 << 20);
  database_ = Database::Open(directory_ / "meta.db").value();
  EXPECT_EQ(Count(), 50);
}

TEST_F(DatabaseTest, RefusesANewerSchema) {
  ASSERT_TRUE(database_->Write([](Connection& db) -> Status {
    db.exec("PRAGMA user_version = 9999");
    return {};
  }));
  database_.reset();
  const auto opened = Database::Open(directory_ / "meta.db");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::kFailedPrecondition);
}

}  // namespace
}  // namespace headrace::store
