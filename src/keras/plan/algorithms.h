// ConvChooser: which implementation runs each pass of each convolution.
//
// With "auto" the candidates are timed once on this processor and the answer is kept in the user's cache directory, so
// that later runs, with the same choice, give the same bits. Checkpoints keep the choice as text.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tensor/backend.h"

namespace headrace::keras::internal {

class ConvChooser {
 public:
  // request: "auto", "direct", or what record() returned in an earlier run; the last one is followed where it speaks
  // and measured where it does not. Throws kInvalidArgument for other text.
  ConvChooser(const tensor::Backend& backend, const std::string& request);

  std::unique_ptr<tensor::ConvForward> Forward(const tensor::Conv2DDesc& desc);
  std::unique_ptr<tensor::ConvBackwardData> BackwardData(const tensor::Conv2DDesc& desc);
  std::unique_ptr<tensor::ConvBackwardWeights> BackwardWeights(const tensor::Conv2DDesc& desc);

  // What another chooser's record() says from here on goes before what is known.
  void Follow(const std::string& record);
  // "problem=algorithm;…", sorted, for every problem chosen so far.
  std::string record() const;

 private:
  using Choices = std::map<std::string, std::string>;

  template <typename Kernel, typename List, typename Time>
  std::unique_ptr<Kernel> Choose(const char* pass, const tensor::Conv2DDesc& desc, const List& list, const Time& time);
  void ReadCache();
  void WriteCache() const;

  const tensor::Backend& backend_;
  bool direct_only_ = false;
  bool measures_ = false;
  std::string cache_path_;  // "" when there is none
  Choices known_;           // from the request or the cache
  Choices chosen_;
};

}  // namespace headrace::keras::internal
