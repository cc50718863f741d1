#include "jobs/python/requirements_text.h"

#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

TEST(Requirements, ThatNameAllTheyWantAreToldApart) {
  for (const char* text :
       {"", "pandas\n", "pandas==2.2.0\r\nscikit-learn >= 1.2, < 2  # for the split\n",
        "# comment with -r and ./path\nkeras-tuner[all]~=1.4 ; python_version > '3.8'\n",
        "--index-url https://index.example/simple\n--pre\nnumpy",
        "a==1 \\\n    --hash=sha256:0123 \\\n    --hash=sha256:4567\n", "-i https://index.example/simple\na"})
    EXPECT_TRUE(SaysAllOfItself(text)) << text;
  for (const char* text : {"-r other.txt\n", "a\n-c constraints.txt", "-e .", ".", "./wheels/a.whl", "a.whl", "../a",
                           "/a/b", "--find-links wheels\na", "-f wheels", "a @ https://files.example/a.zip",
                           "git+https://git.example/a", "https://files.example/a.whl", "--requirement=other.txt",
                           "a @ file:///opt/ml/code/a", "wheels/a-1.0.tar.gz", "a-1.0.tar.gz", "--editable ."})
    EXPECT_FALSE(SaysAllOfItself(text)) << text;
}

}  // namespace
}  // namespace headrace::jobs
