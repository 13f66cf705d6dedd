// Lines of sliding windows, as the kernels over windows meet them: which elements of its source each item is made of.
#pragma once

#include "base/types.h"

namespace fastgd {

// What an item is made of along one axis: `count` terms, the first at element `at` of the source and with the number
// `number`.
struct WindowTerms {
  Index at = 0;
  std::int32_t count = 0;
  std::int32_t number = 0;
};

// From one term to the next: how many elements further, and by how much its number is larger.
struct WindowStep {
  Index at = 0;
  Index number = 0;
};

// The terms of all items of an axis.
struct WindowItems {
  const WindowTerms* terms = nullptr;
  WindowStep step;
};

// A line of `items` neighbours in one tensor, of `channels` elements each. The terms of an item are all combinations of
// one term per axis: those of depth and height are the line's, those of width the item's. Places and numbers add up.
struct WindowLine {
  Index items = 0, channels = 0;
  WindowItems depth, height, width;
  // Vectors may be longer than what is left of the channels: how many elements there are to read from the source's
  // first on, and how many from the line's first on may be written over.
  Index readable = 0, writable = 0;
};

// Where the maximum of each window is, as the number of its term: in bytes or, for larger windows, in words. The other
// pointer is null. Behind the last number as many bytes may be read as a vector has lanes.
struct WindowNumbers {
  std::uint8_t* bytes = nullptr;
  std::int32_t* words = nullptr;
};

}  // namespace fastgd
