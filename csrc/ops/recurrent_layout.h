// Where a recurrent op keeps what: the shapes of its operands, the rows of each step, the packed kernels.
//
// A row of operands holds h, x and perhaps a gated h side by side, so that the sums of a step are one product with the
// two kernels stacked, which stay packed for the whole sequence.
//
// With a mask only the rows that are not skipped are kept. The samples are taken in the order of their lengths, so that
// those left at a step are neighbours, whether the padding comes first or last.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "ops/matmul.h"

namespace fastgd {

template <class T>
class RecurrentLayout : public Op<T> {
 protected:
  // The parts of a row of operands: what stands there, and the kernel that it meets.
  enum Part : int { kState, kInput, kGated };

  // Columns col .. col + cols of the sums: the parts first .. last of the operands times the columns of their kernels
  // from `gate` on.
  struct Sums {
    Index col = 0, cols = 0, gate = 0;
    Part first = kState, last = kInput;
  };

  // Columns of the sums that the numbers of the bias from `at` on are added to.
  struct Bias {
    Index col = 0, cols = 0, at = 0;
  };

  // What tells the cells apart.
  struct Cell {
    Index gates = 1;    // columns of the kernels, in units
    Index columns = 1;  // of the sums, in units
    int states = 1;
    bool gated = false;        // whether the operands end with a gated h
    bool keeps_h = false;      // whether `before` holds h, not the carry
    bool passes_h = false;     // whether h also goes on past the gates
    std::vector<Sums> sums;    // columns in units
    std::vector<Bias> biases;  // in units
  };

  struct ForwardRoom {
    T *packed, *bias, *h, *state;
  };
  struct BackwardRoom {
    T *packed, *h, *state, *operands, *products;
  };

  // Neighbouring samples at one step: `h` and `state` are the running ones, in backward their gradients.
  struct Block {
    Index first = 0, rows = 0;
    T *operands = nullptr, *sums = nullptr, *before = nullptr;
    Index before_row = 0;
    T *h = nullptr, *state = nullptr;
    // The mask at this step of the sample in each row, if there is one.
    const T* mask = nullptr;
    const Index* order = nullptr;
    Index mask_row = 0;

    bool active(Index row) const { return mask == nullptr || mask[order[row] * mask_row] != T(0); }
    // The next rows that are not skipped, from row `from` on; empty at the end.
    Range run(Index from) const {
      if (mask == nullptr) return {from, rows};
      while (from < rows && !active(from)) ++from;
      Index end = from;
      while (end < rows && active(end)) ++end;
      return {from, end};
    }
  };

  // What is kept of the forward pass, and where the rows of a step lie in it.
  struct Saved {
    T *operands, *sums, *before;
    // With a mask: the samples by their length, and the first step of each; the rows and the place of each step.
    Index *order, *begins, *low, *high, *places;
    Index n;

    Index sample(Index row) const { return order == nullptr ? row : order[row]; }
    Range rows(Index step, Range own) const {
      if (order == nullptr) return own;
      const Range all{std::max(own.begin, low[step]), std::min(own.end, high[step])};
      return all.begin < all.end ? all : Range{own.begin, own.begin};
    }
    Index place(Index step, Index row) const {
      return order == nullptr ? step * n + row : places[step] + row - low[step];
    }
  };

  RecurrentLayout(const OpSetup& s, Cell cell) : cell_(std::move(cell)), states_(cell_.states) {
    const Attrs& attrs = s.attrs;
    sequences_ = attrs.flag("return_sequences", false);
    backwards_ = attrs.flag("go_backwards", false);
    biased_ = attrs.flag("use_bias", true);
    initial_ = attrs.flag("initial_state", false);
    dropped_ = attrs.flag("recurrent_dropout", false);
    masked_ = attrs.flag("masked", false);
    stateful_ = attrs.flag("stateful", false);
    zero_skipped_ = attrs.flag("zero_output_for_mask", false);
    functions_.state.function = Activation::tanh;
    if (attrs.given("activation")) functions_.state = parse_fused_activation<T>(attrs);
    dropout_input_ = initial_ ? 1 + states_ : 1;
    mask_input_ = dropout_input_ + (dropped_ ? 1 : 0);
    const std::size_t inputs = static_cast<std::size_t>(mask_input_ + (masked_ ? 1 : 0));
    s.expect_inputs(inputs);
    const std::size_t params = 2 + (biased_ ? 1 : 0) + static_cast<std::size_t>(stateful_ ? states_ : 0);
    s.expect_params(params, params);
    const Shape& x = s.inputs[0].shape;
    check(x.size() == 3, "takes an input (batch, time, features). Received: ", to_string(x));
    n_ = x[0], t_ = x[1], i_ = x[2];
    const Shape& w = s.params[0];
    const Shape& r = s.params[1];
    check(r.size() == 2 && r[1] == cell_.gates * r[0], "the recurrent kernel must be (units, ", cell_.gates,
          " units). Received: ", to_string(r));
    u_ = r[0];
    check(w == Shape{i_, cell_.gates * u_}, "the kernel ", to_string(w), " does not fit the input ", to_string(x),
          " and the recurrent kernel ", to_string(r));
    if (biased_) check_bias(s.params[2]);
    for (int i = 1; i < dropout_input_ + (dropped_ ? 1 : 0); ++i)
      check(s.inputs[static_cast<std::size_t>(i)].shape == Shape{n_, u_}, "states and factors must be ",
            to_string(Shape{n_, u_}), ". Received: ", to_string(s.inputs[static_cast<std::size_t>(i)].shape));
    for (std::size_t i = params - static_cast<std::size_t>(stateful_ ? states_ : 0); i < params; ++i)
      check(s.params[i] == Shape{n_, u_}, "a stateful layer keeps states for batches of one size, ",
            to_string(s.params[i]), ". Received: a batch that needs ", to_string(Shape{n_, u_}));
    if (masked_)
      check(s.inputs.back().shape == Shape{n_, t_}, "the mask must be ", to_string(Shape{n_, t_}),
            ". Received: ", to_string(s.inputs.back().shape));
    plan(s.table.of<T>());
    auto& t = this->traits;
    t.outputs = {{sequences_ ? Shape{n_, t_, u_} : Shape{n_, u_}}};
    for (int state = 0; state < states_; ++state) t.outputs.push_back({Shape{n_, u_}});
    t.backward_reads_inputs = (masked_ ? 1u << mask_input_ : 0u) | (dropped_ ? 1u << dropout_input_ : 0u);
    t.gradient_inputs = (1u << dropout_input_) - 1;
    t.couples_samples = stateful_;
    t.carries_state = stateful_;
    if (stateful_) t.writes_params = ((1u << states_) - 1) << state_param(0);
  }

  void parse_gates(const Attrs& attrs) {
    functions_.gates.function = Activation::sigmoid;
    if (!attrs.given("recurrent_activation")) return;
    functions_.gates = parse_activation<T>(attrs, "recurrent_activation");
    check(derives_from_output(functions_.gates.function), "`recurrent_activation` must be a function whose derivative ",
          "follows from its output. Received: recurrent_activation='", attrs.text("recurrent_activation", ""), "'");
  }

  Index units() const { return u_; }
  Index width() const { return width_; }
  Index sums_width() const { return sums_; }
  Index offset(int part) const { return part == kState ? 0 : part == kInput ? u_ : u_ + i_; }

  void check_bias(const Shape& b) const {
    Index numbers = 0;
    for (const Bias& part : cell_.biases) numbers = std::max(numbers, part.at + part.cols);
    const Index rows = numbers / cell_.gates;
    const Shape expected = rows == 1 ? Shape{cell_.gates * u_} : Shape{rows, cell_.gates * u_};
    check(b == expected, "the bias must be ", to_string(expected), ". Received: ", to_string(b));
  }

  int state_param(int state) const { return 2 + (biased_ ? 1 : 0) + state; }
  Index size(int part) const { return part == kInput ? i_ : u_; }
  Index depth(const Sums& s) const { return offset(s.last) + size(s.last) - offset(s.first); }
  static Index panels(const Kernels<T>& k, Index cols) { return (cols + k.tile_cols - 1) / k.tile_cols; }
  // A line more than a panel holds, or panels of a round depth would share cache sets.
  static Index panel(const Kernels<T>& k, Index depth) { return k.tile_cols * (depth + 1); }
  // The time that a step looks at.
  Index time(Index step) const { return backwards_ ? t_ - 1 - step : step; }
  // Whether the output of a step is h and not zero: skipped steps repeat the output before.
  bool shown(const Call<T>& c, const Saved& s, Index sample, Index step) const {
    if (!masked_) return true;
    return zero_skipped_ ? c.x[mask_input_][sample * t_ + time(step)] != T(0) : s.begins[sample] <= step;
  }

  void plan(const Kernels<T>& k) {
    constexpr Index bytes = static_cast<Index>(sizeof(T));
    width_ = u_ + i_ + (cell_.gated ? u_ : 0);
    // Rows whose distance is a multiple of a page share cache sets.
    if (width_ * bytes % 2048 == 0) width_ += 64 / bytes;
    sums_ = cell_.columns * u_;
    const Index rows = fastgd::multiply(n_, t_);
    keeps_before_ = cell_.states == 2 || (cell_.keeps_h && dropped_);
    sums_at_ = round_up(fastgd::multiply(rows, width_), 16);
    before_at_ = sums_at_ + round_up(fastgd::multiply(rows, sums_), 16);
    const Index values = before_at_ + (keeps_before_ ? round_up(fastgd::multiply(rows, u_), 16) : 0);
    indices_at_ = fastgd::multiply(values, bytes);
    auto& t = this->traits;
    t.saved_bytes = indices_at_ + (masked_ ? (2 * n_ + 4 * t_ + 4) * static_cast<Index>(sizeof(Index)) : 0);
    Index forward = 0, backward = 0, products = 0;
    double work = 0;
    for (const Sums& s : cell_.sums) {
      packed_.push_back(forward);
      transposed_.push_back(backward);
      results_.push_back(products);
      scratches_.push_back(products + round_up(depth(s) * s.cols * u_, 16));
      products = scratches_.back() + round_up(weights_product(k, s, rows).scratch_bytes(), 64) / bytes;
      forward += panels(k, s.cols * u_) * panel(k, depth(s));
      for (int part = s.first; part <= s.last; ++part) {
        backward += panels(k, size(part)) * panel(k, s.cols * u_);
        work += 2.0 * static_cast<double>(rows) * static_cast<double>(size(part) * s.cols * u_);
      }
    }
    const Index states = 2 * round_up(n_ * u_, 16);
    forward_packed_ = round_up(forward, 16), backward_packed_ = round_up(backward, 16);
    t.forward_scratch = (forward_packed_ + round_up(sums_, 16) + states) * bytes;
    t.backward_scratch = (backward_packed_ + states + round_up(n_ * width_, 16) + products) * bytes;
    t.forward_work = work + 40.0 * static_cast<double>(rows * sums_);
    t.backward_work = 2.0 * work + 20.0 * static_cast<double>(rows * sums_);
  }

  Saved saved_in(const Call<T>& c) const {
    T* const values = reinterpret_cast<T*>(c.saved);
    Saved s{values, values + sums_at_, values + before_at_, nullptr, nullptr, nullptr, nullptr, nullptr, n_};
    if (!masked_) return s;
    s.order = reinterpret_cast<Index*>(c.saved + indices_at_);
    s.begins = s.order + n_;
    s.low = s.begins + n_;
    s.high = s.low + t_;
    s.places = s.high + t_;
    return s;
  }

  ForwardRoom forward_room(const Call<T>& c) const {
    T* const at = c.scratch_values();
    T* const bias = at + forward_packed_;
    T* const h = bias + round_up(sums_, 16);
    return {at, bias, h, h + round_up(n_ * u_, 16)};
  }

  BackwardRoom backward_room(const Call<T>& c) const {
    T* const at = c.scratch_values();
    T* const h = at + backward_packed_;
    T* const state = h + round_up(n_ * u_, 16);
    T* const operands = state + round_up(n_ * u_, 16);
    return {at, h, state, operands, operands + round_up(n_ * width_, 16)};
  }

  // Sorts the samples by the steps that are not skipped, longest first, and finds for each step the rows that hold all
  // those left.
  void find_rows(const Call<T>& c, const Saved& s) const noexcept {
    const T* const mask = c.x[mask_input_];
    Index* const starts = s.places + t_ + 1;  // of the samples of each length, the longest first
    std::fill(starts, starts + t_ + 1, Index(0));
    const auto skipped = [&](Index i) { return std::count(mask + i * t_, mask + (i + 1) * t_, T(0)); };
    for (Index i = 0; i < n_; ++i) ++starts[skipped(i)];
    Index start = 0;
    for (Index j = 0; j <= t_; ++j) start += std::exchange(starts[j], start);
    for (Index i = 0; i < n_; ++i) {
      s.order[starts[skipped(i)]++] = i;
      s.begins[i] = 0;
      while (s.begins[i] < t_ && mask[i * t_ + time(s.begins[i])] == T(0)) ++s.begins[i];
    }
    s.places[0] = 0;
    for (Index step = 0; step < t_; ++step) {
      Index low = n_, high = 0;
      for (Index row = 0; row < n_; ++row)
        if (mask[s.order[row] * t_ + time(step)] != T(0)) low = std::min(low, row), high = row + 1;
      s.low[step] = std::min(low, high), s.high[step] = high;
      s.places[step + 1] = s.places[step] + high - s.low[step];
    }
  }

  Index kept_rows(const Saved& s) const { return masked_ ? s.places[t_] : n_ * t_; }

  Block block(const Call<T>& c, const Saved& s, Index step, Range rows, Index at, T* h, T* state) const {
    Block b;
    b.first = rows.begin, b.rows = rows.size();
    b.operands = s.operands + at * width_;
    b.sums = s.sums + at * sums_;
    b.before = keeps_before_ ? s.before + at * u_ : b.operands;
    b.before_row = keeps_before_ ? u_ : width_;
    b.h = h + rows.begin * u_;
    b.state = state + rows.begin * u_;
    if (masked_) b.mask = c.x[mask_input_] + time(step), b.order = s.order + rows.begin, b.mask_row = t_;
    return b;
  }

  void pack_kernels(const Call<T>& c, T* packed, const Worker& who) const noexcept {
    const Kernels<T>& k = *c.kernels;
    for (std::size_t which = 0; which < cell_.sums.size(); ++which) {
      const Sums& s = cell_.sums[which];
      const Index row = cell_.gates * u_, step = panel(k, depth(s));
      const Range cols = who.share(s.cols * u_, k.tile_cols);
      if (cols.size() == 0) continue;
      for (int part = s.first; part <= s.last; ++part) {
        T* const to =
            packed + packed_[which] + cols.begin / k.tile_cols * step + (offset(part) - offset(s.first)) * k.tile_cols;
        k.pack_cols(size(part), cols.size(), kernel(c, part) + s.gate * u_ + cols.begin, row, 1, to, step);
      }
    }
  }

  void pack_transposed(const Call<T>& c, T* packed, const Worker& who) const noexcept {
    const Kernels<T>& k = *c.kernels;
    for (std::size_t which = 0; which < cell_.sums.size(); ++which) {
      const Sums& s = cell_.sums[which];
      const Index row = cell_.gates * u_, step = panel(k, s.cols * u_);
      T* to = packed + transposed_[which];
      for (int part = s.first; part <= s.last; ++part) {
        const Range cols = who.share(size(part), k.tile_cols);
        if (cols.size() > 0 && (part != kInput || c.dx[0] != nullptr))
          k.pack_cols(s.cols * u_, cols.size(), kernel(c, part) + cols.begin * row + s.gate * u_, 1, row,
                      to + cols.begin / k.tile_cols * step, step);
        to += panels(k, size(part)) * step;
      }
    }
  }

  const T* kernel(const Call<T>& c, int part) const { return part == kInput ? c.w[0] : c.w[1]; }

  void add_biases(const Call<T>& c, T* bias) const noexcept {
    std::fill(bias, bias + sums_, T(0));
    if (!biased_) return;
    for (const Bias& part : cell_.biases)
      for (Index j = 0; j < part.cols * u_; ++j) bias[part.col * u_ + j] += c.w[2][part.at * u_ + j];
  }

  // The product that gives the gradient of what the sums `s` meet of the kernels, stacked, over `rows` rows.
  Product<T> weights_product(const Kernels<T>& k, const Sums& s, Index rows) const {
    ProductShape shape{depth(s), s.cols * u_, rows, true, false};
    shape.a_stride = width_, shape.b_stride = sums_, shape.c_stride = shape.n;
    return {k, shape};
  }

  Cell cell_;
  CellRows<T> functions_;  // without the sizes
  int states_;
  Index n_ = 0, t_ = 0, i_ = 0, u_ = 0;
  Index width_ = 0, sums_ = 0;  // of a row of operands and of one of sums
  bool sequences_ = false, backwards_ = false, biased_ = false, initial_ = false, dropped_ = false, masked_ = false;
  bool stateful_ = false, zero_skipped_ = false, keeps_before_ = false;
  int dropout_input_ = 0, mask_input_ = 0;
  // Elements, but for the place of the indices, which counts bytes.
  Index sums_at_ = 0, before_at_ = 0, indices_at_ = 0;
  Index forward_packed_ = 0, backward_packed_ = 0;
  // Where the packed kernels of each product begin, and the result and the scratch of that for the weights.
  std::vector<Index> packed_, transposed_, results_, scratches_;
};

}  // namespace fastgd
