// headrace/ops.h: elements put elsewhere.
#include <algorithm>
#include <numeric>

#include "headrace/ops.h"

#include "base/result.h"
#include "keras/symbolic/operation_layer.h"

namespace headrace::keras::ops {
namespace {

using B = GraphBuilder;
using In = const std::vector<int>&;

int64_t RankOf(const KerasTensor& x) { return static_cast<int64_t>(x.shape().rank()); }

// From 0; `rank` axes there are.
size_t Place(const char* name, int64_t axis, int64_t rank) {
  const int64_t found = axis < 0 ? axis + rank : axis;
  if (found < 0 || found >= rank)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: axis: found {}, wanted {} to {}", name, axis, -rank, rank - 1);
  return static_cast<size_t>(found);
}

int64_t KnownSize(const char* name, const KerasTensor& x, size_t axis) {
  const int64_t size = x.shape()[axis];
  if (size < 0)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: axis: found {}, the batch, of a value of shape {}, wanted another one", name, axis,
                    x.shape().ToString());
  return size;
}

std::vector<int64_t> Counting(int64_t count) {
  std::vector<int64_t> axes(static_cast<size_t>(count));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

KerasTensor Sliced(const char* name, const KerasTensor& x, size_t axis, int64_t begin, int64_t size, int64_t step) {
  std::vector<int64_t> begins(x.shape().rank(), 0), sizes = x.shape().dims(), steps(x.shape().rank(), 1);
  begins[axis] = begin;
  sizes[axis] = size;
  steps[axis] = step;
  return internal::Apply(name, {x}, [=](B& build, In in) { return build.Slice(in[0], begins, sizes, steps); });
}

// What -1 stands for in `wanted`: the batch in the first place where it can be, else what is left.
Shape ReshapedTo(const KerasTensor& x, std::vector<int64_t> wanted) {
  const int64_t elements = Elements("reshape", x.shape());
  int64_t known = 1;
  std::vector<size_t> open;
  for (size_t axis = 0; axis < wanted.size(); ++axis) {
    if (wanted[axis] == -1)
      open.push_back(axis);
    else
      known *= wanted[axis];
  }
  const auto refuse = [&](const char* why) {
    throw MakeError(ErrorCode::kInvalidArgument, "reshape: found {} for a value of shape {}, {}",
                    Shape(wanted).ToString(), x.shape().ToString(), why);
  };
  if (open.size() > 2 || (open.size() == 2 && elements > 0))
    refuse("wanted one -1, and one for the batch in front of it");
  if (known == 0 || elements % known != 0) refuse("wanted a shape of as many elements");
  if (open.size() == 2) {
    wanted[open[1]] = -elements / known;
  } else if (open.size() == 1) {
    wanted[open[0]] = elements / known;
  } else if (elements != known) {
    refuse("wanted a shape of as many elements");
  }
  return Shape(std::move(wanted));
}

KerasTensor Permuted(const char* name, const KerasTensor& x, std::vector<int64_t> axes) {
  return internal::Apply(name, {x}, [axes = std::move(axes)](B& build, In in) { return build.Transpose(in[0], axes); });
}

}  // namespace

KerasTensor reshape(const KerasTensor& x, const std::vector<int64_t>& newshape) {
  return internal::Apply("reshape", {x},
                         [shape = ReshapedTo(x, newshape)](B& build, In in) { return build.Reshape(in[0], shape); });
}

KerasTensor transpose(const KerasTensor& x, std::vector<int64_t> axes) {
  const int64_t rank = RankOf(x);
  if (axes.empty()) {
    axes = Counting(rank);
    std::reverse(axes.begin(), axes.end());
  }
  std::vector<int64_t> sorted;
  for (int64_t& axis : axes) sorted.push_back(axis = static_cast<int64_t>(Place("transpose", axis, rank)));
  std::sort(sorted.begin(), sorted.end());
  if (sorted != Counting(rank))
    throw MakeError(ErrorCode::kInvalidArgument,
                    "transpose: found axes {} for a value of shape {}, wanted each of its axes once",
                    Shape(axes).ToString(), x.shape().ToString());
  return Permuted("transpose", x, std::move(axes));
}

KerasTensor moveaxis(const KerasTensor& x, int64_t source, int64_t destination) {
  const size_t from = Place("moveaxis", source, RankOf(x)), to = Place("moveaxis", destination, RankOf(x));
  if (from == to) return x;
  std::vector<int64_t> axes = Counting(RankOf(x));
  axes.erase(axes.begin() + static_cast<int64_t>(from));
  axes.insert(axes.begin() + static_cast<int64_t>(to), static_cast<int64_t>(from));
  return Permuted("moveaxis", x, std::move(axes));
}

KerasTensor swapaxes(const KerasTensor& x, int64_t axis1, int64_t axis2) {
  std::vector<int64_t> axes = Counting(RankOf(x));
  std::swap(axes[Place("swapaxes", axis1, RankOf(x))], axes[Place("swapaxes", axis2, RankOf(x))]);
  return Permuted("swapaxes", x, std::move(axes));
}

KerasTensor expand_dims(const KerasTensor& x, int64_t axis) {
  const auto place = static_cast<int64_t>(Place("expand_dims", axis, RankOf(x) + 1));
  return internal::Apply("expand_dims", {x}, [place](B& build, In in) { return build.ExpandDims(in[0], place); });
}

KerasTensor squeeze(const KerasTensor& x, const Axes& axis) {
  std::vector<bool> gone(x.shape().rank());
  for (size_t i = 0; i < gone.size(); ++i) gone[i] = axis.all() && x.shape()[i] == 1;
  for (const int64_t one : axis.axes()) {
    const size_t place = Place("squeeze", one, RankOf(x));
    if (x.shape()[place] != 1)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "squeeze: found axis {} of a value of shape {}, wanted one of size 1", one, x.shape().ToString());
    gone[place] = true;
  }
  std::vector<int64_t> dims;
  for (size_t i = 0; i < gone.size(); ++i)
    if (!gone[i]) dims.push_back(x.shape()[i]);
  return internal::Apply("squeeze", {x},
                         [shape = Shape(std::move(dims))](B& build, In in) { return build.Reshape(in[0], shape); });
}

KerasTensor concatenate(const std::vector<KerasTensor>& xs, int64_t axis) {
  if (xs.empty()) throw MakeError(ErrorCode::kInvalidArgument, "concatenate: found no values, wanted one or more");
  return internal::Apply("concatenate", xs, [axis](B& build, In in) {
    const auto same = [&](int part) { return build.at(part).dtype == build.at(in[0]).dtype; };
    std::vector<int> parts = in;
    if (!std::all_of(in.begin(), in.end(), same))
      for (int& part : parts) part = build.Cast(part, DType::kFloat32);
    return build.Concat(parts, axis);
  });
}

KerasTensor stack(const std::vector<KerasTensor>& x, int64_t axis) {
  std::vector<KerasTensor> parts;
  for (const KerasTensor& part : x) parts.push_back(expand_dims(part, axis));
  return concatenate(parts, axis);
}

std::vector<KerasTensor> split(const KerasTensor& x, int64_t sections, int64_t axis) {
  const int64_t size = KnownSize("split", x, Place("split", axis, RankOf(x)));
  if (sections < 1 || size % sections != 0)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "split: found {} sections of an axis of {}, wanted a number that divides it", sections, size);
  std::vector<int64_t> indices;
  for (int64_t i = 1; i < sections; ++i) indices.push_back(i * (size / sections));
  return split(x, indices, axis);
}

std::vector<KerasTensor> split(const KerasTensor& x, const std::vector<int64_t>& indices, int64_t axis) {
  const size_t place = Place("split", axis, RankOf(x));
  const int64_t size = KnownSize("split", x, place);
  std::vector<KerasTensor> parts;
  int64_t begin = 0;
  for (size_t i = 0; i <= indices.size(); ++i) {
    const int64_t end = i < indices.size() ? indices[i] : size;
    if (end <= begin || end > size)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "split: found a part from {} to {} of an axis of {}, wanted rising indices", begin, end, size);
    parts.push_back(Sliced("split", x, place, begin, end - begin, 1));
    begin = end;
  }
  return parts;
}

std::vector<KerasTensor> unstack(const KerasTensor& x, int64_t axis) {
  const int64_t size = KnownSize("unstack", x, Place("unstack", axis, RankOf(x)));
  std::vector<KerasTensor> parts;
  for (const KerasTensor& part : split(x, size, axis)) parts.push_back(squeeze(part, axis));
  return parts;
}

KerasTensor get_item(const KerasTensor& x, int64_t axis, int64_t start, int64_t stop, int64_t step) {
  const size_t place = Place("get_item", axis, RankOf(x));
  const int64_t size = KnownSize("get_item", x, place);
  const int64_t from = std::clamp<int64_t>(start < 0 ? start + size : start, 0, size);
  const int64_t to = std::clamp<int64_t>(stop < 0 ? stop + size : stop, 0, size);
  if (step < 1 || to <= from)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "get_item: found {}:{}:{} of an axis of {}, wanted one element at least, in rising order", start,
                    stop, step, size);
  return Sliced("get_item", x, place, from, (to - from + step - 1) / step, step);
}

KerasTensor flip(const KerasTensor& x, const Axes& axis) {
  KerasTensor y = x;
  for (const int64_t one : axis.all() ? Counting(RankOf(x)) : axis.axes()) {
    const size_t place = Place("flip", one, RankOf(x));
    const int64_t size = KnownSize("flip", x, place);
    y = Sliced("flip", y, place, size - 1, size, -1);
  }
  return y;
}

KerasTensor roll(const KerasTensor& x, int64_t shift, int64_t axis) {
  const int64_t size = KnownSize("roll", x, Place("roll", axis, RankOf(x)));
  const int64_t first = ((-shift % size) + size) % size;
  if (first == 0) return x;
  const std::vector<KerasTensor> parts = split(x, std::vector<int64_t>{first}, axis);
  return concatenate({parts[1], parts[0]}, axis);
}

KerasTensor pad(const KerasTensor& x, const std::vector<std::pair<int64_t, int64_t>>& pad_width) {
  if (pad_width.size() != x.shape().rank())
    throw MakeError(ErrorCode::kInvalidArgument,
                    "pad: found {} pairs for a value of shape {}, wanted one for each axis", pad_width.size(),
                    x.shape().ToString());
  std::vector<int64_t> begins, sizes;
  for (size_t axis = 0; axis < pad_width.size(); ++axis) {
    const auto [before, behind] = pad_width[axis];
    if (before < 0 || behind < 0)
      throw MakeError(ErrorCode::kInvalidArgument, "pad: found {} and {}, wanted 0 or more", before, behind);
    begins.push_back(before);
    sizes.push_back(before + behind == 0 ? x.shape()[axis] : KnownSize("pad", x, axis) + before + behind);
  }
  return internal::Apply("pad", {x}, [=](B& build, In in) {
    return build.Unslice(in[0], begins, sizes, std::vector<int64_t>(begins.size(), 1));
  });
}

KerasTensor tile(const KerasTensor& x, const std::vector<int64_t>& repeats) {
  std::vector<int64_t> dims = x.shape().dims(), multiples = repeats;
  if (dims.size() < repeats.size()) dims.insert(dims.begin(), repeats.size() - dims.size(), 1);
  if (multiples.size() < dims.size()) multiples.insert(multiples.begin(), dims.size() - multiples.size(), 1);
  if (std::any_of(repeats.begin(), repeats.end(), [](int64_t n) { return n < 1; }))
    throw MakeError(ErrorCode::kInvalidArgument, "tile: found {}, wanted 1 or more along each axis",
                    Shape(repeats).ToString());
  return internal::Apply("tile", {x},
                         [=](B& build, In in) { return build.Tile(build.Reshape(in[0], Shape(dims)), multiples); });
}

// [..., n, ...] as [..., n, 1, ...], and the axis of 1 repeated.
KerasTensor repeat(const KerasTensor& x, int64_t repeats, int64_t axis) {
  const size_t place = Place("repeat", axis, RankOf(x));
  std::vector<int64_t> multiples(x.shape().rank() + 1, 1), dims = x.shape().dims();
  multiples[place + 1] = repeats;
  dims[place] *= repeats;
  const KerasTensor tiled = tile(expand_dims(x, static_cast<int64_t>(place) + 1), multiples);
  return internal::Apply("repeat", {tiled}, [dims](B& build, In in) { return build.Reshape(in[0], Shape(dims)); });
}

KerasTensor broadcast_to(const KerasTensor& x, const std::vector<int64_t>& shape) {
  std::vector<int64_t> dims = x.shape().dims(), multiples;
  if (dims.size() > shape.size())
    throw MakeError(ErrorCode::kInvalidArgument,
                    "broadcast_to: found {} for a value of shape {}, wanted as many axes at least",
                    Shape(shape).ToString(), x.shape().ToString());
  dims.insert(dims.begin(), shape.size() - dims.size(), 1);
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    const bool stays = shape[axis] == dims[axis] || shape[axis] == -1;
    if (!stays && (dims[axis] != 1 || shape[axis] < 1))
      throw MakeError(ErrorCode::kInvalidArgument,
                      "broadcast_to: found {} for a value of shape {}, wanted its sizes, or others where it has 1",
                      Shape(shape).ToString(), x.shape().ToString());
    multiples.push_back(stays ? 1 : shape[axis]);
  }
  return tile(x, multiples);
}

}  // namespace headrace::keras::ops
