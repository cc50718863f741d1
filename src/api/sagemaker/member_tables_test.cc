// The tables of jobs/request/member_effects.h against the shapes that requests are checked with, and against the
// documentation: no member may be taken without somebody having said what becomes of it.
#include <gmock/gmock.h>

#include "api/sagemaker/hosting/shapes.h"
#include "api/sagemaker/training_job_shape.h"
#include "api/sagemaker/transform/operations.h"
#include "base/file.h"
#include "base/testing/source_directory.h"
#include "jobs/request/member_effects.h"

namespace headrace::api::sagemaker {
namespace {

using jobs::Effect;
using jobs::MemberEffect;

struct Table {
  const char* operation;
  Shape shape;
  std::span<const MemberEffect> members;
};

std::vector<Table> Tables() {
  return {{"CreateTrainingJob", CreateTrainingJobShape(), jobs::TrainingJobMembers()},
          {"CreateModel", CreateModelShape(), jobs::ModelMembers()},
          {"CreateEndpointConfig", CreateEndpointConfigShape(), jobs::EndpointConfigMembers()},
          {"CreateTransformJob", CreateTransformJobShape(), jobs::TransformJobMembers()}};
}

bool IsPart(std::string_view part, std::string_view whole) {
  return part.starts_with(whole) && part.size() > whole.size() &&
         (part[whole.size()] == '.' || part[whole.size()] == '[');
}

// In the table, or part of an entry, or a structure whose parts are entries.
bool IsKnown(std::string path, std::span<const MemberEffect> members) {
  constexpr std::string_view kContainers = "Containers[]";
  if (path == "Containers") path = "PrimaryContainer";
  if (path.starts_with(kContainers)) path = "PrimaryContainer" + path.substr(kContainers.size());
  return std::any_of(members.begin(), members.end(), [&](const MemberEffect& member) {
    return member.path == path || IsPart(path, member.path) || IsPart(member.path, path);
  });
}

// As docs/api-coverage.md has it.
std::string Row(const MemberEffect& member, std::string_view prefix = "") {
  const char* effect = member.effect == Effect::kDone      ? "done"
                       : member.effect == Effect::kRefused ? "refused"
                                                           : "without effect";
  std::string notes(member.when);
  if (!notes.empty() && !member.says.empty()) notes += ": ";
  notes += member.says;
  return fmt::format("| `{}{}` | {} | {} |\n", prefix, member.path, effect, notes);
}

TEST(MemberTables, KnowEveryMemberOfTheShapes) {
  for (const Table& table : Tables()) {
    const auto paths = table.shape.MemberPaths();
    EXPECT_GT(paths.size(), 10u);
    for (const std::string& path : paths) EXPECT_TRUE(IsKnown(path, table.members)) << table.operation << ": " << path;
  }
}

TEST(MemberTables, AreInTheDocumentation) {
  const std::string document = ValueOrThrow(ReadFile(InSourceDirectory("docs/api-coverage.md")));
  std::string wanted;
  for (const Table& table : Tables()) {
    wanted += fmt::format("\n### {}\n\n| member | | notes |\n|---|---|---|\n", table.operation);
    for (const MemberEffect& member : table.members) wanted += Row(member);
    if (table.operation != std::string_view("CreateTrainingJob")) continue;
    for (const MemberEffect& member : jobs::DistributionHyperparameters()) wanted += Row(member, "HyperParameters.");
  }
  EXPECT_NE(document.find(wanted), std::string::npos) << "docs/api-coverage.md, wanted:\n" << wanted;
}

TEST(MemberTables, AShapeListsItsMembers) {
  const Shape shape = Shape::Structure(
      {{"A", Shape::Text(0, 1)},
       {"B",
        Shape::List(Shape::Structure({{"C", Shape::Boolean()}, {"D", Shape::Structure({{"E", Shape::Boolean()}})}}), 0,
                    1)}});
  EXPECT_THAT(shape.MemberPaths(), testing::ElementsAre("A", "B", "B[].C", "B[].D", "B[].D.E"));
}

}  // namespace
}  // namespace headrace::api::sagemaker
