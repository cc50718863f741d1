// What a program in a sandbox sees of the machine and may do to it.
#include "jobs/sandbox/sandbox.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "jobs/sandbox/private_mounts.h"
#include "jobs/sandbox/system_view.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

class SandboxTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto probed = ProbeBubblewrap(); !probed) GTEST_SKIP() << probed.error().message();
    options_.mounts = {{directory_.path(), "/opt/ml", true}};
    options_.memory_files = 16 << 20;
  }

  // What a script prints inside, errors too.
  std::string Run(const std::string& script) {
    Command command;
    command.arguments = {"/bin/sh", "-c", script + "\n"};
    command.environment = environment_;
    auto child = ValueOrThrow(StartChild(Sandboxed(command, options_)));
    std::string text;
    char piece[4096];
    bool open = true;
    while (open) {
      pollfd readable[] = {{child.output.get(), POLLIN, 0}, {child.error.get(), POLLIN, 0}};
      ::poll(readable, 2, -1);
      int ended = 0;
      for (const auto* pipe : {&child.output, &child.error}) {
        ssize_t n;
        while ((n = ::read(pipe->get(), piece, sizeof piece)) > 0) text.append(piece, static_cast<size_t>(n));
        ended += n == 0 ? 1 : 0;
      }
      open = ended < 2;
    }
    EXPECT_EQ(::waitpid(child.pid, nullptr, 0), child.pid);
    return text;
  }

  TemporaryDirectory directory_;
  SandboxOptions options_;
  std::map<std::string, std::string> environment_ = {{"PATH", "/usr/bin:/bin"}};
};

TEST_F(SandboxTest, TheEnvironmentIsSeenInsideAndNowhereElse) {
  environment_["SECRET"] = "two words\nand a line";
  environment_["LD_PRELOAD"] = "/opt/ml/nothing.so";
  environment_["A=B"] = "c";
  environment_["CUT"] = std::string("before\0--bind\0/\0/opt/ml", 23);
  const auto seen =
      Run("echo \"$SECRET|$LD_PRELOAD|$A|$CUT\"; tr '\\0' ' ' </proc/1/environ; tr '\\0' ' ' </proc/1/cmdline");
  EXPECT_THAT(seen, HasSubstr("two words\nand a line|/opt/ml/nothing.so|B=c|before\n"));
  EXPECT_THAT(seen, HasSubstr("PATH=/usr/bin:/bin "));  // bubblewrap's own
  const auto command = Sandboxed({.arguments = {"/bin/true"}, .environment = environment_}, options_);
  EXPECT_EQ(command.environment, (std::map<std::string, std::string>{{"PATH", "/usr/bin:/bin"}}));
  EXPECT_THAT(command.arguments, Each(Not(HasSubstr("two words"))));
  EXPECT_THAT(command.arguments, Each(Not(HasSubstr("LD_PRELOAD"))));
  EXPECT_TRUE(command.arguments.front().starts_with('/'));
}

TEST_F(SandboxTest, AProgramThatTheJobPutsOnItsPathIsNotTakenForBubblewrap) {
  const auto proof = directory_ / "proof";
  std::ofstream(directory_ / "bwrap") << "#!/bin/sh\ntouch " << proof << "\n";
  ::chmod((directory_ / "bwrap").c_str(), 0755);
  environment_["PATH"] = directory_.path() + ":/opt/ml:/usr/bin:/bin";
  EXPECT_EQ(Run("echo inside"), "inside\n");
  EXPECT_FALSE(fs::exists(proof));
}

TEST_F(SandboxTest, EtcIsAListOfWhatIsNeeded) {
  const auto seen = Run("cd /etc; find . -maxdepth 1 | sort");
  for (const char* hidden : {"shadow", "ssh", "sudoers", "machine-id", "fstab", "crontab", "systemd", "gitconfig"})
    EXPECT_THAT(seen, Not(HasSubstr(std::string("./") + hidden + "\n"))) << hidden;
  EXPECT_EQ(
      Run("ls -d /etc/ssl/private /var/lib/dpkg /sys/class /sys/firmware /run/* /home /srv /mnt /boot 2>/dev/null"),
      "");
  // Nothing there that only its owner may read: a program of the server's own user could.
  EXPECT_EQ(Run("find /etc /run /var /opt/headrace -type f ! -perm -o=r 2>/dev/null"), "");
  // Small files and directories are copies, which nobody can write to either; links in them lead where they led.
  EXPECT_EQ(Run("cat /etc/resolv.conf"), ReadFile("/etc/resolv.conf").value_or(""));
  EXPECT_EQ(Run("for f in /etc/passwd /etc/host.conf; do (echo x >>$f) 2>/dev/null && echo $f; done"), "");
  const char* const link = "/etc/fonts/conf.d/60-latin.conf";
  if (fs::is_symlink(link)) {
    EXPECT_EQ(Run(std::string("readlink ") + link), fs::read_symlink(link).string() + "\n");
  }
  EXPECT_THAT(Run("cat /etc/passwd"), AllOf(HasSubstr("root:x:0:0"), Not(HasSubstr("daemon"))));
}

TEST_F(SandboxTest, OnlyTheJobsOwnFilesCanBeWritten) {
  const auto seen =
      Run("for d in / /usr /etc /opt /run /var /var/tmp /sys/devices/system/cpu /proc/sys/kernel /opt/ml /tmp; do"
          "  (echo x >$d/probe) 2>/dev/null && echo $d; done");
  EXPECT_EQ(seen, "/opt/ml\n/tmp\n");
}

TEST_F(SandboxTest, NoCapabilitiesNoNameSpacesNoKeys) {
  EXPECT_THAT(Run("grep -E '^(CapEff|CapPrm|NoNewPrivs|Seccomp):' /proc/self/status"),
              AllOf(HasSubstr("CapEff:\t0000000000000000"), HasSubstr("CapPrm:\t0000000000000000"),
                    HasSubstr("NoNewPrivs:\t1"), HasSubstr("Seccomp:\t2")));
  EXPECT_THAT(Run("unshare -Ur true"), HasSubstr("Operation not permitted"));
  EXPECT_THAT(Run("unshare -m true"), HasSubstr("Operation not permitted"));
  EXPECT_THAT(Run("mount -t tmpfs none /tmp || echo no"), HasSubstr("no"));
  EXPECT_THAT(Run("dmesg >/dev/null || echo no"), HasSubstr("no"));
  EXPECT_EQ(Run("cat /proc/keys /proc/kcore 2>/dev/null | wc -c | tr -d ' '"), "0\n");
}

TEST_F(SandboxTest, WithoutANetworkThereIsNothingButLoopback) {
  options_.network = false;
  const auto seen = Run("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '");
  EXPECT_EQ(seen, "lo\n");
}

TEST_F(SandboxTest, InterpretersBelowTheJobsOwnTmpAreSeen) {
  TemporaryDirectory tree, tmp;
  std::ofstream(tree / "tool") << "#!/bin/sh\necho found\n";
  ::chmod((tree / "tool").c_str(), 0755);
  options_.memory_files = 0;
  options_.read_only = {tree.path()};
  options_.mounts.push_back({tmp.path(), fs::path(tree.path()).parent_path(), true});
  EXPECT_EQ(Run(tree / "tool"), "found\n");
}

TEST_F(SandboxTest, ATreeThatAnotherOneShowsIsMountedOnce) {
  TemporaryDirectory tree, elsewhere;
  fs::create_directories(tree / "a/b/c");
  std::ofstream(tree / "a/b/file") << "seen";
  std::ofstream(elsewhere / "file") << "elsewhere";
  fs::create_symlink(elsewhere.path(), tree / "link");
  const auto mounted = [&](const std::string& path) {
    const auto words = Sandboxed({.arguments = {"/bin/true"}}, options_).arguments;
    return std::count(words.begin(), words.end(), path) / 2;
  };
  options_.read_only = {tree / "a/b", tree.path(), tree / "a/b", tree / "a"};
  EXPECT_EQ(mounted(tree.path()), 1);
  EXPECT_EQ(mounted(tree / "a/b"), 0);
  EXPECT_EQ(mounted(tree / "a"), 0);
  EXPECT_EQ(Run("cat " + (tree / "a/b/file")), "seen");
  // With the job's own files in between, the path is a mount of its own; so it is behind a link.
  options_.mounts.push_back({elsewhere.path(), tree / "a", false});
  EXPECT_EQ(mounted(tree / "a/b"), 2);  // also on top of the job's own
  options_.mounts.pop_back();
  options_.read_only = {tree.path(), tree / "link"};
  EXPECT_EQ(mounted(tree / "link"), 1);
}

TEST_F(SandboxTest, LinksThatAJobHasLeftLeadNoMountPointElsewhere) {
  TemporaryDirectory victim, shown;
  std::ofstream(shown / "file") << "shown";
  options_.mounts.push_back({shown.path(), "/opt/ml/a/b", false});
  for (const auto& leads : {victim.path(), "/oldroot" + victim.path()}) {
    fs::remove_all(directory_ / "a");
    fs::create_symlink(leads, directory_ / "a");
    const auto started = StartChild(Sandboxed({.arguments = {"/bin/true"}}, options_));
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(started.error().message(), HasSubstr("/opt/ml/a/b cannot be shown to the job"));
    EXPECT_TRUE(fs::is_empty(victim.path()));
  }
  fs::remove(directory_ / "a");
  EXPECT_EQ(Run("cat /opt/ml/a/b/file"), "shown");
}

TEST(PrivateMounts, AreSeenByTheProgramAlone) {
  if (!CanMountPrivately()) GTEST_SKIP() << "only root can mount";
  TemporaryDirectory source, target;
  std::ofstream(source / "file") << "text";
  Command command;
  command.arguments = {"/bin/sh", "-c", "test -e " + (target / "file")};
  command.binds = {{source.path(), target.path()}};
  const auto child = ValueOrThrow(StartChild(command));
  int status = -1;
  EXPECT_EQ(::waitpid(child.pid, &status, 0), child.pid);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(fs::exists(target / "file"));
}

TEST_F(SandboxTest, WhatProgramsNeedIsThere) {
  environment_["HOME"] = "/tmp";
  const auto has = [&](const std::string& program) { return Run("command -v " + program) != ""; };
  if (has("g++")) {
    std::ofstream(directory_ / "p.cc")
        << "#include <cstdio>\n#include <thread>\nint main() { int n = 0;\n"
           "#pragma omp parallel for reduction(+:n)\nfor (int i = 0; i < 8; ++i) n += 1;\n"
           "std::thread t([&] { ++n; }); t.join(); std::printf(\"%d\\n\", n); }\n";
    EXPECT_EQ(Run("cd /opt/ml && g++ -std=c++20 -fopenmp -pthread -o p p.cc && ./p"), "9\n");
  }
  if (has("/usr/bin/python3")) {
    EXPECT_EQ(Run("/usr/bin/python3 -c \"import ssl, socket, os, threading, getpass, multiprocessing as m\n"
                  "assert socket.getaddrinfo('localhost', 1)\nassert os.cpu_count() > 0\n"
                  "print(getpass.getuser() != '', m.get_context('fork').Pool(2).map(abs, [-1, -2]))\""),
              "True [1, 2]\n");
  }
  EXPECT_EQ(Run("id -un >/dev/null && date >/dev/null && nproc >/dev/null && echo fine | sed s/i/I/"), "fIne\n");
}

TEST(SystemView, ShowsNoTreeOfSettings) {
  const auto view = MakeSystemView();
  for (const char* tree : {"/etc", "/sys", "/run", "/opt", "/var", "/home", "/root", "/"})
    EXPECT_THAT(view.roots, Not(Contains(tree)));
  EXPECT_TRUE(IsBelow("/a/b", "/a"));
  EXPECT_TRUE(IsBelow("/a", "/a"));
  EXPECT_FALSE(IsBelow("/ab", "/a"));
}

}  // namespace
}  // namespace headrace::jobs
