// embedding: rows of a table picked by int32 indices; the gradient of the table goes out piece by piece.
#include <algorithm>
#include <cstring>
#include <limits>

#include "base/buffer.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Embedding final : public Op<T> {
 public:
  explicit Embedding(const OpSetup& s) {
    s.expect_inputs(1);
    s.expect_params(1, 1);
    check(s.inputs[0].integer, "takes int32 indices");
    const Shape& table = s.params[0];
    check(table.size() == 2, "takes a table of two axes. Received: ", to_string(table));
    rows_ = table[0];
    width_ = table[1];
    Shape y = s.inputs[0].shape;
    tokens_ = count(y);
    check(std::max(tokens_, rows_) <= std::numeric_limits<std::int32_t>::max(),
          "takes fewer than 2^31 indices and rows");
    y.push_back(width_);
    piece_rows_ = std::max<Index>(1, kPieceElements / std::max<Index>(1, width_));
    auto& t = this->traits;
    t.outputs = {{y}};
    t.integer_inputs = 1;
    t.gradient_inputs = 0;
    t.backward_reads_inputs = 1;
    t.streams_params = 1;
    pieces_ = multiply(piece_rows_, width_) + kApart;
    numbers_ = round_up(rows_ + tokens_, kAlignment / static_cast<Index>(sizeof(std::int32_t)));
    slots_ = std::clamp<Index>((rows_ + piece_rows_ - 1) / piece_rows_, 1, kMostThreads);
    t.backward_scratch = multiply(numbers_, sizeof(std::int32_t)) + multiply(multiply(slots_, pieces_), sizeof(T));
    // An element that is moved weighs like some operations; every row of the table is visited going back.
    t.forward_work = 4.0 * static_cast<double>(count(y));
    t.backward_work = t.forward_work + 8.0 * static_cast<double>(count(table));
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Range part = who.share(tokens_);
    const std::int32_t* const x = c.ints(0);
    T* y = c.y[0] + part.begin * width_;
    for (Index i = part.begin; i < part.end; ++i, y += width_) {
      if (x[i] < 0 || x[i] >= rows_) {
        c.kernels->fill(width_, std::numeric_limits<T>::quiet_NaN(), y);
      } else {
        std::memcpy(y, c.w[0] + x[i] * width_, static_cast<std::size_t>(width_) * sizeof(T));
      }
    }
  }

  // Each thread has rows of its own: it sorts the indices that point there, keeping their order, and adds up each row.
  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const GradientSink<T>* const sink = c.sinks[0];
    if ((c.dw[0] == nullptr && sink == nullptr) || who.rank >= slots_) return;
    const Worker own{who.rank, static_cast<int>(std::min<Index>(who.size, slots_)), nullptr};
    const Range rows = own.share(rows_, piece_rows_);
    if (rows.size() <= 0) return;
    auto* const ends = reinterpret_cast<std::int32_t*>(c.scratch);
    std::int32_t* const sorted = ends + rows_;
    Index at = sort(c.ints(0), rows, ends, sorted);
    T* const piece = reinterpret_cast<T*>(ends + numbers_) + who.rank * pieces_;
    if (sink != nullptr) c.kernels->fill(piece_rows_ * width_, T(0), piece);
    for (Index first = rows.begin; first < rows.end; first += piece_rows_) {
      const Index last = std::min(first + piece_rows_, rows.end), size = (last - first) * width_;
      T* const to = sink != nullptr ? piece : c.dw[0] + first * width_;
      if (sink == nullptr && !c.dw_accumulate[0]) c.kernels->fill(size, T(0), to);
      const Index begin = at, end = ends[last - 1];
      for (; at < end; ++at) {
        const Index token = sorted[at];
        T* const row = to + (c.ints(0)[token] - first) * width_;
        c.kernels->add(width_, row, c.dy[0] + token * width_, row);
      }
      if (sink == nullptr) continue;
      (*sink)(first* width_, size, piece);
      // Only what was written has to become zero again.
      for (Index i = begin; i < end; ++i)
        c.kernels->fill(width_, T(0), piece + (c.ints(0)[sorted[i]] - first) * width_);
    }
  }

 private:
  // Rows of the table that are given away at a time: with parameter and slots they fit the first cache.
  static constexpr Index kPieceElements = 2048;
  // Between the pieces of two threads: neighbouring lines are fetched in pairs.
  static constexpr Index kApart = 2 * kAlignment / static_cast<Index>(sizeof(T));
  static constexpr Index kMostThreads = 64;

  // Numbers of the indices that point to some rows, by rows and within one as they come: those of row r end at ends[r],
  // where those of the next begin. Returns where those of the first row begin.
  Index sort(const std::int32_t* x, Range rows, std::int32_t* ends, std::int32_t* sorted) const noexcept {
    const auto low = static_cast<std::int32_t>(rows.begin), high = static_cast<std::int32_t>(rows.end);
    std::memset(ends + low, 0, static_cast<std::size_t>(rows.size()) * sizeof(std::int32_t));
    std::int32_t before = 0;
    for (Index i = 0; i < tokens_; ++i) {
      before += x[i] >= 0 && x[i] < low;
      if (x[i] >= low && x[i] < high) ++ends[x[i]];
    }
    std::int32_t begin = before;
    for (std::int32_t r = low; r < high; ++r) {
      const std::int32_t count = ends[r];
      ends[r] = begin;
      begin += count;
    }
    for (Index i = 0; i < tokens_; ++i)
      if (x[i] >= low && x[i] < high) sorted[ends[x[i]]++] = static_cast<std::int32_t>(i);
    return before;
  }

  Index rows_ = 0, width_ = 0, tokens_ = 0;
  Index piece_rows_ = 1, pieces_ = 0, numbers_ = 0, slots_ = 1;
};

}  // namespace

FASTGD_DEFINE_OP(embedding, Embedding);

}  // namespace fastgd
