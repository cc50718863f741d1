// A state machine as a table: which state follows which, by what happens.
#pragma once

#include <cstddef>
#include <optional>

namespace headrace {

template <typename State, typename Event>
struct Transition {
  State from;
  Event event;
  State to;
};

// nullopt: the event means nothing in that state.
template <typename State, typename Event, size_t n>
constexpr std::optional<State> NextState(const Transition<State, Event> (&table)[n], State state, Event event) {
  for (const auto& transition : table)
    if (transition.from == state && transition.event == event) return transition.to;
  return std::nullopt;
}

}  // namespace headrace
