// The flags of tensorflow_model_server that `headrace model-server` takes without having what they are about, so that
// TensorFlow Serving's own command lines work: those that change no answer are taken without effect, and named once
// in the log; those that ask for something that is not done are refused by what they ask for.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

namespace headrace::apps {

// What was given of them, by flag. Owned by the command.
using ServingFlags = std::map<std::string, std::string>;

void AddServingFlags(CLI::App& command, const std::shared_ptr<ServingFlags>& flags);

// Throws CLI::ValidationError for a flag that asks for something that is not done; logs those without effect.
void CheckServingFlags(const CLI::App& command, const ServingFlags& flags);

}  // namespace headrace::apps
