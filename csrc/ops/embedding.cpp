// embedding: rows of a table picked by int32 indices; the gradient of the table goes out piece by piece.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "base/buffer.h"
#include "base/fetch.h"
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
    const std::string pool = s.attrs.text("pool", "none");
    check(pool == "none" || pool == "sum" || pool == "mean", "`pool` must be none, sum or mean. Received: pool='", pool,
          "'");
    if (pool != "none") {
      check(!y.empty() && y.back() > 0, "pools the vectors of the last axis of its indices. Received: ", to_string(y));
      bag_ = y.back();
      y.pop_back();
      if (pool == "mean") factor_ = 1 / static_cast<T>(bag_);
    }
    pools_ = pool != "none";
    check(std::max(tokens_, rows_) <= std::numeric_limits<std::int32_t>::max(),
          "takes fewer than 2^31 indices and rows");
    y.push_back(width_);
    piece_rows_ = std::max<Index>(1, kPieceElements / std::max<Index>(1, width_));
    auto& t = this->traits;
    t.outputs = {{y}};
    t.integer_inputs = 1;
    t.gradient_inputs = 0;
    t.backward_reads_inputs = 1;
    t.streams_params = t.sparse_params = 1;
    slots_ = std::clamp<Index>((rows_ + piece_rows_ - 1) / piece_rows_, 1, kMostThreads);
    piece_ = multiply(piece_rows_, width_) + kApart;
    t.saved_bytes = multiply(rows_ + tokens_, sizeof(std::int32_t));
    if (pools_) t.forward_scratch = multiply(kMostThreads * (width_ + kApart), sizeof(T));
    t.backward_scratch = multiply(multiply(slots_, piece_), sizeof(T));
    // An element that is moved weighs like some operations; every row of the table is visited going back.
    t.forward_work = 4.0 * static_cast<double>(tokens_) * static_cast<double>(width_);
    t.backward_work = t.forward_work + 8.0 * static_cast<double>(count(table));
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    if (c.run->differentiates) {
      prepare(c, who);
      who.sync();
    }
    if (pools_) {
      pool(c, who);
      return;
    }
    const Range part = who.share(tokens_);
    T* y = c.y[0] + part.begin * width_;
    for (Index i = part.begin; i < part.end; ++i, y += width_) copy(vector(c, i, part.end), y);
  }

  // Each thread adds up rows of its own.
  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    if (factor_ != 1) {
      const Range part = who.share(tokens_ / bag_ * width_, c.kernels->lanes);
      if (part.size() > 0) c.kernels->scale(part.size(), factor_, c.dy[0] + part.begin, c.dy[0] + part.begin);
      who.sync();
    }
    const GradientSink<T>* const sink = c.sinks[0];
    const Range rows = own_rows(who);
    if ((c.dw[0] == nullptr && sink == nullptr) || rows.size() <= 0) return;
    T* const piece = c.scratch_values() + who.rank * piece_;
    c.kernels->fill(piece_rows_ * width_, T(0), piece);
    if (sink != nullptr && sink->catch_up != nullptr) {
      const std::int32_t* const end = ends(c);
      std::int32_t before = begin_of(end, rows.begin);
      each_row(
          rows,
          [&](Index row) {
            const bool any = end[row] != before;
            before = end[row];
            return any;
          },
          [&](Index row) {
            sink->announce(*sink, row * width_, width_);
            for (Index at = begin_of(end, row); at < end[row]; ++at)
              fetch_soon(c.dy[0] + sorted(c)[at] * width_, width_);
          },
          [&](Index row) {
            add_rows(c, row, row + 1, piece);
            (*sink)(row* width_, width_, piece);
            c.kernels->fill(width_, T(0), piece);
          });
      return;
    }
    for (Index first = rows.begin; first < rows.end; first += piece_rows_) {
      const Index last = std::min(first + piece_rows_, rows.end), size = (last - first) * width_;
      if (sink == nullptr) {
        T* const dw = c.dw[0] + first * width_;
        if (!c.dw_accumulate[0]) c.kernels->fill(size, T(0), dw);
        add_rows(c, first, last, dw);
        continue;
      }
      const bool any = add_rows(c, first, last, piece);
      (*sink)(first* width_, size, piece);
      if (any) c.kernels->fill(size, T(0), piece);
    }
  }

 private:
  // Rows of the table that are given away at a time: with parameter and slots they fit the first cache.
  static constexpr Index kPieceElements = 2048;
  // Between the pieces of two threads: neighbouring lines are fetched in pairs.
  static constexpr Index kApart = 2 * kAlignment / static_cast<Index>(sizeof(T));
  static constexpr Index kMostThreads = 64;
  // Rows looked through at a time for those that are used, and the place of the one announced behind the one visited.
  static constexpr Index kLook = 1024;
  static constexpr std::size_t kAhead = 4;

  // Vectors that are summed before the sum joins the others.
  static constexpr Index kRun = 64;

  // The vector of index i, null for one that is out of range; one that will be asked for before `end` is announced.
  const T* vector(const Call<T>& c, Index i, Index end) const noexcept {
    const std::int32_t* const x = c.ints(0);
    if (const Index ahead = i + 2 * static_cast<Index>(kAhead); ahead < end && x[ahead] >= 0 && x[ahead] < rows_)
      fetch_soon(c.w[0] + x[ahead] * width_, width_);
    return x[i] < 0 || x[i] >= rows_ ? nullptr : c.w[0] + x[i] * width_;
  }

  void copy(const T* from, T* to) const noexcept {
    if (from == nullptr) {
      std::fill(to, to + width_, std::numeric_limits<T>::quiet_NaN());
    } else {
      std::memcpy(to, from, static_cast<std::size_t>(width_) * sizeof(T));
    }
  }

  // The sums or means of the vectors of each bag, in runs, so that long sums lose no digits.
  void pool(const Call<T>& c, const Worker& who) const noexcept {
    if (who.rank >= kMostThreads) return;
    const Worker shared{who.rank, std::min<int>(who.size, kMostThreads), nullptr};
    const Range bags = shared.share(tokens_ / bag_);
    T* const run = c.scratch_values() + who.rank * (width_ + kApart);
    for (Index bag = bags.begin; bag < bags.end; ++bag) {
      T* const y = c.y[0] + bag * width_;
      for (Index first = bag * bag_; first < (bag + 1) * bag_; first += kRun) {
        T* const sum = first == bag * bag_ ? y : run;
        for (Index i = first; i < std::min(first + kRun, (bag + 1) * bag_); ++i) {
          const T* const from = vector(c, i, bags.end * bag_);
          if (i == first || from == nullptr) {
            copy(from, sum);
          } else {
            c.kernels->add(width_, sum, from, sum);
          }
        }
        if (sum != y) c.kernels->add(width_, y, sum, y);
      }
      if (factor_ != 1) c.kernels->scale(width_, factor_, y, y);
    }
  }

  // The rows of the table that a thread cares for.
  Range own_rows(const Worker& who) const noexcept {
    if (who.rank >= slots_) return {};
    return Worker{who.rank, static_cast<int>(std::min<Index>(who.size, slots_)), nullptr}.share(rows_, piece_rows_);
  }

  // sorted[ends[r - 1]] .. sorted[ends[r] - 1] are the places in dy of the indices that point to row r, in their order.
  std::int32_t* ends(const Call<T>& c) const noexcept { return reinterpret_cast<std::int32_t*>(c.saved); }
  std::int32_t* sorted(const Call<T>& c) const noexcept { return ends(c) + rows_; }
  static Index begin_of(const std::int32_t* ends, Index row) noexcept { return row == 0 ? 0 : ends[row - 1]; }

  // Sorts the places that point to this thread's rows by counting, and brings these rows up to date.
  void prepare(const Call<T>& c, const Worker& who) const noexcept {
    const Range rows = own_rows(who);
    if (rows.size() <= 0) return;
    const std::int32_t* const x = c.ints(0);
    std::int32_t* const end = ends(c);
    const auto low = static_cast<std::int32_t>(rows.begin), high = static_cast<std::int32_t>(rows.end);
    std::memset(end + low, 0, static_cast<std::size_t>(rows.size()) * sizeof(std::int32_t));
    std::int32_t begin = 0;
    // Half of the tokens are another thread's, which nobody can foretell: so they are counted too, apart.
    std::int32_t others = 0;
    for (Index i = 0; i < tokens_; ++i) {
      begin += (x[i] >= 0) & (x[i] < low);
      ++*((x[i] >= low) & (x[i] < high) ? end + x[i] : &others);
    }
    const GradientSink<T>* const sink = c.sinks == nullptr ? nullptr : c.sinks[0];
    if (sink != nullptr)
      each_row(
          rows, [&](Index row) { return end[row] > 0; },
          [&](Index row) { sink->announce(*sink, row * width_, width_); },
          [&](Index row) { sink->catch_up(*sink, row * width_, width_); });
    for (std::int32_t r = low; r < high; ++r) {
      const std::int32_t count = end[r];
      end[r] = begin;
      begin += count;
    }
    std::int32_t place = 0;
    for (Index first = 0; first < tokens_; first += bag_, ++place)
      for (Index i = first; i < first + bag_; ++i) {
        const bool own = (x[i] >= low) & (x[i] < high);
        std::int32_t* const at = own ? end + x[i] : &others;
        *(own ? sorted(c) + *at : &others) = place;
        *at += own;
      }
  }

  // Calls visit(row) for the rows among some that `used` picks, in their order, and announce(row) some rows before.
  template <class Used, class Announce, class Visit>
  void each_row(Range rows, Used used, Announce announce, Visit visit) const noexcept {
    std::array<Index, kLook> picked;
    for (Index first = rows.begin; first < rows.end; first += kLook) {
      std::size_t n = 0;
      for (Index row = first; row < std::min(first + kLook, rows.end); ++row) {
        picked[n] = row;
        n += used(row) ? 1 : 0;
      }
      for (std::size_t i = 0; i < n; ++i) {
        if (i + kAhead < n) announce(picked[i + kAhead]);
        visit(picked[i]);
      }
    }
  }

  // Adds the gradient of some rows to `to`, where the first of them begins; whether there was any.
  bool add_rows(const Call<T>& c, Index first, Index last, T* to) const noexcept {
    const std::int32_t* const end = ends(c);
    const Index begin = begin_of(end, first);
    Index at = begin;
    for (Index row = first; row < last; ++row, to += width_)
      for (; at < end[row]; ++at) c.kernels->add(width_, to, c.dy[0] + sorted(c)[at] * width_, to);
    return begin < at;
  }

  Index rows_ = 0, width_ = 0, tokens_ = 0;
  bool pools_ = false;
  Index bag_ = 1;  // indices whose vectors make one output
  T factor_ = 1;   // of their sum
  Index piece_rows_ = 1, piece_ = 0, slots_ = 1;
};

}  // namespace

FASTGD_DEFINE_OP(embedding, Embedding);

}  // namespace fastgd
