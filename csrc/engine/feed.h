// The data that a run reads: arrays of any numeric type and strides, converted row by row as they are gathered.
#pragma once

#include <vector>

#include "base/shape.h"
#include "kernels/kernels.h"
#include "threads/team.h"

namespace fastgd {

// One array of samples. The caller keeps the memory alive.
struct Feed {
  const std::byte* data = nullptr;
  Source source = Source::float32;
  Index rows = 0;
  Index row_stride = 0;        // bytes from one sample to the next
  Shape shape;                 // of one sample
  std::vector<Index> strides;  // in bytes, of one sample
  bool contiguous = true;      // one sample lies in one piece
  // What follows from the rest.
  Index row_size = 0;     // elements of one sample
  bool adjacent = false;  // samples follow one another without gaps

  // Works out what follows.
  void settle();
  // Whether elements of this kind can be read where they lie, so that a batch of neighbours, or of one sample, needs no
  // copy.
  bool lies_ready(Source wanted) const;
};

// What is done to the numbers of a feed on the way: x scale + offset.
template <class T>
struct Scaling {
  T scale, offset;
};

// Gathers samples order[first .. first + n) (or first, first + 1, ... without an order) into y, by this worker's
// share, scaled where `scaling` is given.
template <class T>
void gather(const Kernels<T>& kernels, const Feed& feed, const Index* order, Index first, Index n, T* y,
            const Worker& who, const Scaling<T>* scaling = nullptr) noexcept;

// The same for labels and indices; sources that are not integers are converted by truncation.
void gather_ints(const Feed& feed, const Index* order, Index first, Index n, std::int32_t* y,
                 const Worker& who) noexcept;

}  // namespace fastgd
