#include "apps/client/shown_transfer.h"

#include <memory>

#include "apps/commands/step_display.h"

namespace headrace::apps {

sagemaker::TransferOptions ShownTransfer(const std::string& what) {
  sagemaker::TransferOptions transfer;
  auto display = std::make_shared<StepDisplay>(StepDisplay::OfProcess());
  transfer.progress = [display, what](uint64_t done, uint64_t total) { display->Show(what, done, total); };
  return transfer;
}

}  // namespace headrace::apps
