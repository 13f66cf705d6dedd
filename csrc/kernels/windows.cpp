// Sliding windows over channels-last tensors, in either direction: maxima, their gradients, and weighted sums.
#include "kernels/families.h"
#include "kernels/rows.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// A count that the compiler knows.
template <int n>
struct Fixed {
  constexpr operator Index() const { return n; }
};

// The terms of one item: how many along each axis, and the element and number of the first.
template <class Count>
struct Terms {
  Index depth;
  Count height, width;
  WindowStep depth_step, height_step, width_step;
  Index at, number;

  // Calls f(element of the source, number) for all terms, those along the width first.
  template <class F>
  FASTGD_INLINE void each(F f) const {
    for (Index d = 0; d < depth; ++d)
      for (Index h = 0; h < height; ++h)
        for (Index w = 0; w < width; ++w)
          f(at + d * depth_step.at + h * height_step.at + w * width_step.at,
            number + d * depth_step.number + h * height_step.number + w * width_step.number);
  }
};

// Calls f(terms, element of the last term) for item q. Windows of 2 by 2 get code of their own.
template <class F>
FASTGD_INLINE void with_terms(const WindowLine& line, Index q, F f) {
  const WindowTerms depth = *line.depth.terms, height = *line.height.terms, width = line.width.terms[q];
  const Index at = depth.at + height.at + width.at, number = depth.number + height.number + width.number;
  const Index last = at + (depth.count - 1) * line.depth.step.at + (height.count - 1) * line.height.step.at +
                     (width.count - 1) * line.width.step.at;
  const auto run = [&](auto rows, auto cols) {
    f(Terms<decltype(rows)>{depth.count, rows, cols, line.depth.step, line.height.step, line.width.step, at, number},
      last);
  };
  if (height.count == 2 && width.count == 2) {
    run(Fixed<2>{}, Fixed<2>{});
  } else {
    run(Index{height.count}, Index{width.count});
  }
}

// Calls f(channel, where) for the vectors of an item. The last one is whole where `room` elements leave space for it:
// narrow tensors would else be all tails.
template <class T, class F>
FASTGD_INLINE void for_channels(Index channels, Index room, F f) {
  for (Index c = 0; c < channels; c += kLanes<T>) {
    if (c + kLanes<T> <= room) {
      f(c, Whole{});
    } else {
      f(c, Part{channels - c});
    }
  }
}

// Calls f(terms, first element of the vector in the result and among the channels, where) for all vectors of a line,
// upwards: what a whole vector writes beyond its item is written again.
template <class T, class F>
FASTGD_INLINE void each_vector(const WindowLine& given, F f) {
  const WindowLine line = given;
  for (Index q = 0; q < line.items; ++q) {
    with_terms(line, q, [=](const auto& terms, Index last) {
      const Index to = q * line.channels;
      const Index readable = line.readable - last, writable = line.writable - to;
      for_channels<T>(line.channels, readable < writable ? readable : writable,
                      [=](Index c, auto where) { f(terms, to + c, c, where); });
    });
  }
}

template <class T>
FASTGD_INLINE IVec<T> all_lanes(Index number) {
  return IVec<T>{} + static_cast<typename VecTypes<T>::Int>(number);
}

// y = the largest term, and its number where numbers are wanted: the first of equal ones, the last NaN if there is any.
template <bool kNumbered, class T, class Number>
void take_maxima(const WindowLine& line, const T* x, T* y, Number* numbers) {
  each_vector<T>(line, [=](const auto& terms, Index to, Index c, auto where) {
    Vec<T> most = splat<T>(-kInfinity<T>);
    IVec<T> found = all_lanes<T>(terms.number);
    terms.each([&](Index at, Index number) {
      const Vec<T> v = load(x + at + c, where);
      const auto beyond = (v > most) | (v != v);
      most = select(beyond, v, most);
      if constexpr (kNumbered) found = select(beyond, all_lanes<T>(number), found);
    });
    store<T>(y + to, most, where);
    if constexpr (kNumbered) store_numbers(numbers + to, found, where);
  });
}

// dx = the sum of dy over the windows whose maximum the element was.
template <class T, class Number>
void gather_maxima(const WindowLine& line, const T* dy, const Number* numbers, T* dx) {
  each_vector<T>(line, [=](const auto& terms, Index to, Index c, auto where) {
    Vec<T> total{};
    terms.each([&](Index at, Index number) {
      IVec<T> found;
      load_numbers(numbers + at + c, found);
      total += select(found == all_lanes<T>(number), load(dy + at + c, where), Vec<T>{});
    });
    store<T>(dx + to, total, where);
  });
}

// The same from the side of the windows, each of which writes its own elements of dx.
template <class T, class Number>
void scatter_maxima(const WindowLine& given, const T* dy, const Number* numbers, T* dx) {
  const WindowLine line = given;
  for (Index q = 0; q < line.items; ++q) {
    with_terms(line, q, [=](const auto& terms, Index) {
      const Index from = q * line.channels;
      // What is written beyond an element must be written again, which holds for neighbours to the right.
      const Index end = line.width.terms[q].at + (terms.width - 1) * terms.width_step.at;
      const Index readable = line.readable - from, writable = line.writable - end;
      const Index room = line.channels < kLanes<T> ? (readable < writable ? readable : writable) : line.channels;
      for_channels<T>(line.channels, room, [=](Index c, auto where) {
        const Vec<T> gradient = load(dy + from + c, where);
        IVec<T> found;
        load_numbers(numbers + from + c, found);
        terms.each([=](Index at, Index number) {
          store<T>(dx + at + c, select(found == all_lanes<T>(number), gradient, Vec<T>{}), where);
        });
      });
    });
  }
}

template <class T>
void weigh(const WindowLine& line, const T* weights, const T* x, T* y) {
  each_vector<T>(line, [=](const auto& terms, Index to, Index c, auto where) {
    Vec<T> total{};
    terms.each([&](Index at, Index number) { total = fma(splat<T>(weights[number]), load(x + at + c, where), total); });
    store<T>(y + to, total, where);
  });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                               \
  void window_max(const WindowLine& line, const T* x, T* y, const WindowNumbers& numbers) noexcept {           \
    if (numbers.bytes != nullptr) return take_maxima<true>(line, x, y, numbers.bytes);                         \
    if (numbers.words != nullptr) return take_maxima<true>(line, x, y, numbers.words);                         \
    take_maxima<false>(line, x, y, numbers.bytes);                                                             \
  }                                                                                                            \
  void window_max_gather(const WindowLine& line, const T* dy, const WindowNumbers& numbers, T* dx) noexcept {  \
    if (numbers.bytes != nullptr) return gather_maxima(line, dy, numbers.bytes, dx);                           \
    gather_maxima(line, dy, numbers.words, dx);                                                                \
  }                                                                                                            \
  void window_max_scatter(const WindowLine& line, const T* dy, const WindowNumbers& numbers, T* dx) noexcept { \
    if (numbers.bytes != nullptr) return scatter_maxima(line, dy, numbers.bytes, dx);                          \
    scatter_maxima(line, dy, numbers.words, dx);                                                               \
  }                                                                                                            \
  void window_sum(const WindowLine& line, const T* weights, const T* x, T* y) noexcept { weigh(line, weights, x, y); }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
